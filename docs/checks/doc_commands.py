"""The commands that README and docs print, and what is typed for each when they are checked (CONTRIBUTING.md)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROGRAMS = ("mjx-assist", "make", "pip", "python", "pytest", "tensorboard", "jupyter", "source")
RUN = "results/train_session_20260101-120000"
# What a reader puts in, and the stand-in that stand_ins.py makes. Longer words first.
STAND_INS = {
    r"POLICY \[POLICY \.\.\.\]": "walk22_exo walk22_zero_torque",
    r"\[PROJECT\]": "",
    r"results/train_session_\.\.\.": RUN,
    r"\bPOLICY\b": "walk22_exo",
    r"\bCONFIG\b": "walk22_exo",
    r"\bRUN\b": RUN,
    r"\bA B C\b": f"{RUN} results/first_try",
    r"\bDIR\b": "pictures",
    r"\bWORD\b": "torque",
    r"\bNAME\b": "walk22_exo",
    r"\bFILE\b": "figures.json",
    r"(?<= )session_config\.json": f"{RUN}/session_config.json",
}
# The smallest training there is; what it learns is nothing, what it does is all.
SMALL = (
    "--total_timesteps 16 --env_params.num_envs 2 --ppo_params.n_steps 2 --ppo_params.batch_size 4 "
    "--ppo_params.n_epochs 2 --logger_params.evaluation_frequency 0"
)
SCALED = {
    r"mjx-assist train (?!.*(--resume|--dry-run))": SMALL,
    r"mjx-assist zoo .*--quick": "--steps 64 --episodes 1 --seconds 1",
    r"make walk": f"FLAGS='{SMALL}'",
    r"mjx-assist challenge ": "--episodes 1 --only models",
    r"mjx-assist evaluate .*--stress": "--episodes 1 --steps 300",
}
SKIPPED = {
    r"make (test|test-all|docs-check|clean)": "checks or removes this checkout itself",
    r"make gpu|\.\[cuda\]|mjx-assist\[cuda\]|gpu_check": "needs an NVIDIA GPU",
    r"--hosts": "needs other hosts",
    r"--wandb": "needs an account",
    r"^tensorboard|^jupyter|install (opensim|notebook)": "another program",
    r"rl_train/": "MyoAssist's own",
    r"mjx-assist study configs/|gait_targets|mjx-assist zoo (?!.*--quick)": "takes hours: a whole study or zoo",
    r"models sweep|python benchmarks/": "takes hours or a quiet machine: a measurement",
}
SERVER = re.compile(r"mjx-assist replay .*--web")
WINDOW = re.compile(r"mjx-assist replay (?!.*(--web|--video|--headless))")
_TEXT = re.compile(rf"(?:{'|'.join(PROGRAMS)}) \S")


class Command(NamedTuple):
    """A command as a page prints it, its comment left out."""

    page: str
    line: int
    text: str

    @property
    def typed(self) -> str:
        """What is typed for it: with stand-ins for what a reader brings, and with a training's small sizes."""
        text = self.text
        for pattern, stand_in in STAND_INS.items():
            text = re.sub(pattern, stand_in, text)
        return " ".join([text.strip(), *(more for pattern, more in SCALED.items() if re.match(pattern, text))])

    @property
    def reason(self) -> str:
        """Why it is not run; "" where it is."""
        return next((reason for pattern, reason in SKIPPED.items() if re.search(pattern, self.text)), "")


def commands(root: Path) -> list[Command]:
    """Every command of README, CONTRIBUTING and docs/, each once, where it stands first."""
    pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]
    found: dict[str, Command] = {}
    for page in pages:
        for line, text in printed(page.read_text(encoding="utf-8")):
            found.setdefault(text, Command(page.relative_to(root).as_posix(), line, text))
    return list(found.values())


def printed(text: str) -> Iterator[tuple[int, str]]:
    """(line number, command) of a page: in indented blocks and shell fences, and in running text where it is more than
    a command's name."""
    fence = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            fence = line[3:].strip() if fence is None else None
        elif fence in ("bash", "sh") or (fence is None and line.startswith("    ")):
            if _TEXT.match(line.strip()):
                yield number, without_comment(line.strip())
        elif fence is None:
            for inline in re.findall(r"`(mjx-assist [^`]+)`", line):
                if len(inline.split()) > 2 and not re.fullmatch(r"mjx-assist (models|configs) \w+", inline):
                    yield number, inline


def without_comment(line: str) -> str:
    """A line of a shell without its comment (a # after a space, outside quotes)."""
    quoted = ""
    for place, sign in enumerate(line):
        if sign in "'\"" and quoted in ("", sign):
            quoted = "" if quoted else sign
        elif sign == "#" and not quoted and line[place - 1 : place] == " ":
            return line[:place].strip()
    return line
