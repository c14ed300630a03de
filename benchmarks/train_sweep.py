"""Trains every composition for a few updates through `mjx-assist train`, then evaluates and reports it.

Usage: python benchmarks/train_sweep.py [HUMAN ...] [--devices D ...] [--steps 50000] [--out DIR] [--json FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import exit_if_failed

from mjx_assist.errors import UserError
from mjx_assist.model.assembly import available

PRESETS = {"myolegs22": "walk22_exo", "myolegs26": "walk26_exo"}  # human -> the shipped preset whose rewards suit it
COLUMNS = ("human", "device", "train", "steps", "not_finite", "episode", "steps_per_s", "evaluate", "full", "report")


def sweep(human: str, device: str, steps: int, out: Path, full: bool) -> dict:
    """One composition: what each command answered, and what the training log says; ``full`` walks that model too."""
    folder = out / f"{human}_{device}"
    keys = ("--env_params.msk_key", human, "--env_params.device_key", device, "--total_timesteps", str(steps))
    row = {"human": human, "device": device}
    row["train"] = command(folder, "train", PRESETS[human], *keys, "--env_params.backend", "mujoco", "--out", folder)
    if row["train"] != "ok":
        return row
    run = max(folder.glob("train_session_*"))
    log = [json.loads(line) for line in (run / "train_log.jsonl").read_text(encoding="utf-8").splitlines()]
    per_update = log[0]["control_steps"]
    row["steps"] = log[-1]["control_steps"]
    row["not_finite"] = round(sum(line["env/not_finite"] for line in log) * per_update)
    row["episode"] = round(log[-1]["episode_length"], 1)
    row["steps_per_s"] = round(max(line["steps_per_s"] for line in log))
    row["reward"] = round(log[-1]["reward"], 3)
    short = ("--episodes", "2", "--steps", "60")
    row["evaluate"] = command(folder, "evaluate", run, *short, "--json", folder / "evaluate.json")
    if not full:
        return row
    row["full"] = command(folder, "evaluate", run, *short, "--model", "full")
    row["report"] = command(folder, "report", run, *short, "-o", folder / "report")
    return row


def command(folder: Path, *words) -> str:
    """ "ok", or the last line of what a command complained about; everything it says goes to <folder>/log.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "mjx_assist", *map(str, words)], capture_output=True, text=True, check=False
    )
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        log.write(f"$ mjx-assist {' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}\n")
    return "ok" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["?"])[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("humans", nargs="*", default=list(PRESETS), metavar="HUMAN")
    parser.add_argument("--devices", nargs="*", help="default: all of the human's")
    parser.add_argument("--steps", type=int, default=50_000, help="control steps of each training (default: 50000)")
    parser.add_argument("--full", action="store_true", help="walk the full model too, and write the report")
    parser.add_argument("--out", type=Path, default=None, help="keep the runs here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write the rows here")
    arguments = parser.parse_args()
    out = arguments.out or Path(tempfile.mkdtemp(prefix="mjx-assist-sweep-"))
    rows = []
    print("  ".join(COLUMNS), flush=True)
    for human in arguments.humans:
        if human not in PRESETS:
            raise UserError(f"no preset is known for {human!r}; there is one for {', '.join(PRESETS)}.")
        for device in arguments.devices or available()[human]:
            start = time.perf_counter()
            rows.append(
                sweep(human, device, arguments.steps, out, arguments.full)
                | {"wall_s": round(time.perf_counter() - start, 1)}
            )
            print("  ".join(str(rows[-1].get(c, "-")) for c in COLUMNS), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    commands = ("train", "evaluate", "full", "report")
    broken = [r for r in rows if any(r.get(c, "ok") != "ok" for c in commands) or r.get("not_finite")]
    print(f"{len(rows) - len(broken)} of {len(rows)} compositions trained without a non-finite state; runs in {out}")
    exit_if_failed([f"{r['human']} with {r['device']}" for r in broken])


if __name__ == "__main__":
    main()
