"""Makes README's pictures of the present product: `make pictures`, or `python docs/draw_pictures.py report compare`.

Each is what a command of README writes: a film strip, the upper part of a page as a browser shows it, a figure. Pages
take a Chromium on the PATH, the strip OpenGL. The challenge takes half an hour of a core, all else some minutes."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from mjx_assist.cli.main import main

IMAGES = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "chrome")
WIDTH = 1180  # pixels of a page
REPORT = ["report", "walk22_exo", "--episodes", "5"]
COMPARE = ["compare", "walk22_zero_torque", "walk22_exo", "--speeds", "1.25", "--episodes", "10"]
CHALLENGE = ["challenge", "walk22_all"]


def page(file: str, height: int) -> Callable[[Path, Path], None]:
    """What makes a picture of the upper ``height`` pixels of a page."""

    def shoot(folder: Path, picture: Path) -> None:
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if browser is None:
            sys.exit(f"{picture.name}: a Chromium is needed on the PATH ({', '.join(BROWSERS)}).")
        shot = folder / "shot.png"
        look = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
        size = [f"--window-size={WIDTH},{height}", f"--screenshot={shot}"]
        subprocess.run([browser, *look, *size, (folder / file).resolve().as_uri()], capture_output=True, check=True)
        keep(shot, picture)

    return shoot


def image(file: str) -> Callable[[Path, Path], None]:
    """What takes a picture that the command writes."""
    return lambda folder, picture: keep(folder / file, picture)


def keep(source: Path, picture: Path) -> None:
    """In true colours."""
    with Image.open(source) as shown:
        shown.convert("RGB").save(picture, optimize=True)


# picture: the command, and what makes the picture of its folder
PICTURES = {
    "walker": (REPORT, image("walker.png")),
    "report": (REPORT, page("report.html", 2120)),
    "compare": (COMPARE, page("compare.html", 1655)),
    "challenge": (CHALLENGE, image("overview.png")),
    "challenge_gait": (CHALLENGE, image("gait.png")),
}


def draw(names: list[str]) -> None:
    """Run each command once, and make its pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        for command in (REPORT, COMPARE, CHALLENGE):
            wanted = [name for name in names if PICTURES[name][0] is command]
            folder = Path(scratch) / command[0]
            if wanted and main([*command, "-o", str(folder)]):
                sys.exit(1)
            for name in wanted:
                PICTURES[name][1](folder, IMAGES / f"{name}.png")
                print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in PICTURES]
    if unknown:
        sys.exit(f"{', '.join(unknown)}: unknown. Allowed: {', '.join(PICTURES)}.")
    draw(sys.argv[1:] or list(PICTURES))
