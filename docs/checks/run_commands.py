"""`make docs-check`: runs every command of README and docs as it is printed, in a fresh clone with a fresh environment,
and reports which failed. Its rules are in CONTRIBUTING.md.

Usage: python docs/checks/run_commands.py [--only REGEX] [--list] [--out DIR] [--python PYTHON] [--environment VENV]
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from doc_commands import SERVER, WINDOW, Command, commands

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = "[dev]"
LONGEST_S = 1800
SERVED_S = 30  # a viewer that still answers then has started


def main() -> int:
    arguments = _arguments()
    chosen = [c for c in commands(ROOT) if re.search(arguments.only, c.text) or arguments.only == c.page]
    if arguments.list:
        for command in chosen:
            print(
                f"{command.page}:{command.line}  {command.typed}" + (f"   [{command.reason}]" if command.reason else "")
            )
        return 0
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "mjx-assist", arguments.python, out, arguments.environment)
        rows = [_row(place, number, command) for number, command in enumerate(chosen)]
    (out / "docs_check.json").write_text(json.dumps(rows, indent=1))
    failed = [row for row in rows if row["state"] == "failed"]
    count = {state: sum(row["state"] == state for row in rows) for state in ("ran", "skipped", "failed")}
    print(f"\n{count['ran']} ran, {count['skipped']} skipped, {count['failed']} failed; {out / 'docs_check.json'}")
    for row in failed:
        print(f"FAILED {row['page']}:{row['line']}: {row['typed']}\n    {row['said']}")
    return 1 if failed else 0


class Place:
    """A clone of this checkout's last commit with an environment of its own, and what the commands take for given."""

    def __init__(self, clone: Path, python: str, out: Path, made: str | None):
        self.clone, self.out = clone, out
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        venv = Path(made).resolve() if made else clone / ".venv"
        if not made:
            subprocess.run([python, "-m", "venv", str(venv)], check=True)
        self.environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")}
        self.environment |= {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
        self.environment |= {"XDG_CACHE_HOME": str(clone / ".cache"), "PYTHONPATH": str(clone)}
        if not made:
            self._prepare(f"pip install --quiet -e '.{EXTRAS}'")
        self._prepare("python docs/checks/stand_ins.py")

    def _prepare(self, text: str) -> None:
        print(f"preparing: {text}", flush=True)
        log, code = self.out / "prepare.log", 0
        with log.open("a") as stream:
            code = subprocess.run(
                ["bash", "-c", text], cwd=self.clone, env=self.environment, stdout=stream, stderr=stream
            ).returncode
        if code:
            sys.exit(f"'{text}' failed with {code}; {log} has what it said")

    def run(self, text: str, log: Path, serves: bool) -> int:
        """The exit code of a shell command; of a server that is stopped once it has run for a while, 0."""
        with log.open("w") as stream:
            child = subprocess.Popen(
                ["bash", "-c", text], cwd=self.clone, env=self.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                return child.wait(SERVED_S if serves else LONGEST_S)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGINT if serves else signal.SIGKILL)
                code = child.wait(60)
                return 0 if serves and "http://" in log.read_text() else code or 124


def _row(place: Place, number: int, command: Command) -> dict:
    """What became of one command, told as it ends."""
    row = {**command._asdict(), "typed": command.typed, "state": "skipped", "said": command.reason, "seconds": 0.0}
    if not command.reason:
        log, began = place.out / f"{number:03d}.log", time.perf_counter()
        code = place.run(command.typed, log, bool(SERVER.match(command.text)))
        said = log.read_text(errors="replace").strip().splitlines()
        row |= {"seconds": round(time.perf_counter() - began, 1), "said": said[-1] if said else ""}
        row["state"] = "ran" if code == 0 else "failed"
        if code == 2 and WINDOW.match(command.text) and "there is no display" in log.read_text():
            row |= {"state": "skipped", "said": "no display here"}
    print(f"{row['state']:<8}{row['seconds']:7.1f} s  {command.page}:{command.line}  {command.typed}", flush=True)
    return row


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", metavar="REGEX", default="", help="commands that match, or a page such as docs/zoo.md"
    )
    parser.add_argument("--list", action="store_true", help="print what would be typed; run nothing")
    parser.add_argument(
        "--out", default="results/docs_check", help="logs and docs_check.json (default: results/docs_check)"
    )
    parser.add_argument(
        "--environment", metavar="VENV", help="take this one in the place of a fresh one: quick, no proof"
    )
    parser.add_argument("--python", default=sys.executable, help="what makes the environment")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
