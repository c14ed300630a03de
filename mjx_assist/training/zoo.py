"""The zoo in its folder: train every composition with one config, let the policies walk, keep each row as it is done.

Each row is a folder ``<human>_<device>/``: the training run, the film strip, and row.json when it is done. A training
is a process of its own, so that whatever ends one does not end the zoo; stopped ones go on with the next call.
"""

import dataclasses
import fnmatch
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist import processes
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.words import REDUCED
from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.studies import trials
from mjx_assist.eval.studies import zoo as rules
from mjx_assist.eval.view.strip import walker_strip
from mjx_assist.files.logs import read_rows
from mjx_assist.files.plain import write_json
from mjx_assist.model.assembly import NO_DEVICE, available
from mjx_assist.paths import POLICY_FOLDER, SESSION_CONFIG, TRAIN_LOG
from mjx_assist.policy import bundle as bundles
from mjx_assist.training import origin, seeds

ROW, RUN, OUTPUT, STRIP = "row.json", "training", "training.txt", "strip.png"
STRIP_S = 6.0  # of a walk, from which the strip's gait cycle is taken
HUMANS = ("myolegs22", "myolegs26")  # with every device
EIGHTY = ("myolegs", (NO_DEVICE, "Tutorial_L1", "Humotech_L1", "OpenSourceLeg_A_L1", "OpenSourceLeg_KA_L1"))
QUICK = (  # a leg alone, an exoskeleton, a powered prosthesis, a passive one, and knee and ankle in 3-D
    ("myolegs22", NO_DEVICE),
    ("myolegs22", "Tutorial_L1"),
    ("myolegs22", "OpenSourceLeg_A_L1"),
    ("myolegs22", "KFoot_L1"),
    ("myolegs26", "OpenSourceLeg_KA_L1"),
)
Composition = tuple[str, str]  # human, device


@dataclasses.dataclass(frozen=True)
class Walks:
    """How each policy is judged: so many seeds from ``seed`` on, each on both models for ``seconds``."""

    episodes: int
    seconds: float = rules.SECONDS
    seed: int = 0

    @property
    def seeds(self) -> range:
        return range(self.seed, self.seed + self.episodes)


def compositions(only: Sequence[str] | None = None, quick: bool = False) -> list[Composition]:
    """The zoo's rows: all of them, the quick ones, or those that patterns name: ``HUMAN/DEVICE``, a human or a device.

    Raises:
        UserError: a pattern that names none.
    """
    have = available()
    everything = [(human, device) for human in HUMANS for device in have[human]]
    everything += [(EIGHTY[0], device) for device in EIGHTY[1] if device in have[EIGHTY[0]]]
    if not only:
        return list(QUICK) if quick else everything
    everything += [(human, device) for human in (EIGHTY[0],) for device in have[human] if device not in EIGHTY[1]]
    chosen: list[Composition] = []
    for pattern in only:
        found = [row for row in everything if any(fnmatch.fnmatchcase(n, pattern) for n in ("/".join(row), *row))]
        if not found:
            raise unknown("--only", pattern, ["/".join(row) for row in everything])
        chosen += [row for row in found if row not in chosen]
    return chosen


def config_of(base: RunConfig, composition: Composition, steps: int | None, seed: int | None) -> RunConfig:
    """The one config on a body."""
    human, device = composition
    worn = None if device == NO_DEVICE else device
    env = dataclasses.replace(base.env_params, msk_key=human, device_key=worn, model_path=None)
    env = env if seed is None else dataclasses.replace(env, seed=seed)
    made = dataclasses.replace(base, env_params=env)
    return made if steps is None else dataclasses.replace(made, total_timesteps=steps)


def make(
    rows: Sequence[tuple[Composition, RunConfig]], walks: Walks, out: Path, keep: Callable[[list[dict]], object]
) -> list[dict]:
    """Train and judge what is not in ``out`` yet; ``keep`` is called with all rows after each that is new.

    Raises:
        UserError: it was stopped, or a row's folder holds a training of another config.
    """
    runs = [_resumable(out / "_".join(composition) / RUN, config) for composition, config in rows]
    done = {place: row for place, (_, config) in enumerate(rows) if (row := _known(runs[place], config, walks))}
    for place, (composition, config) in enumerate(rows):
        if place in done:
            continue
        print(f"\nrow {place + 1} of {len(rows)}: {' with '.join(composition)}", flush=True)
        try:
            row = _row(composition, config, runs[place], walks)
            write_json(runs[place].parent / ROW, row)
        except UserError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise
            row = {"human": composition[0], "device": composition[1], "error": str(error)}
            print(f"not made: {error}", file=sys.stderr, flush=True)
        done[place] = row
        keep([done[i] for i in sorted(done)])
    return [done[place] for place in sorted(done)]


def _resumable(path: Path, config: RunConfig) -> Path:
    """The run's folder; a run that is there already must be of this config, but for what may change."""
    if (path / SESSION_CONFIG).is_file():
        origin.checked(path, config)
    return path


def _row(composition: Composition, config: RunConfig, path: Path, walks: Walks) -> dict:
    """Train, walk, draw the strip; returns what row.json holds."""
    if not seeds.finished(path, config):
        train_elsewhere(path, config)
    bundle = bundles.load(path / POLICY_FOLDER)
    asked = rules.trials_of(walks.seconds, walks.seeds)
    found: list[dict] = [{}] * len(asked)
    for index, outcome in trials.run([bundle], asked, processes.cpus(), rules.MEASURE):
        found[index] = outcome
    upright = [t.seed for t, o in zip(asked, found, strict=True) if t.kind == REDUCED and not o["fell"]]
    steps = round(STRIP_S * config.env_params.control_framerate)
    short = replay(bundle, steps=steps, seed=upright[0] if upright else walks.seed)
    caption = walker_strip(bundle, short, path.parent / STRIP)
    trained = read_rows(path / TRAIN_LOG)[-1]
    return {
        "key": _key(config, walks),
        "human": composition[0],
        "device": composition[1],
        "minutes": trained["wall_s"] / 60,
        "control_steps": trained["control_steps"],
        "seconds": walks.seconds,
        "strip": caption,
        **rules.judged([(trial.kind, outcome) for trial, outcome in zip(asked, found, strict=True)]),
    }


def train_elsewhere(path: Path, config: RunConfig) -> None:
    """Train in a process of its own, from where the run in ``path`` stopped; what it says goes to a file beside it.

    Raises:
        UserError: it failed (its last line says why), or it was stopped.
    """
    path.mkdir(parents=True, exist_ok=True)
    if (path / SESSION_CONFIG).is_file():
        write_json(path / SESSION_CONFIG, configs.to_dict(config))  # what may change
    else:
        origin.begin(path, config)
    said = path.parent / OUTPUT
    command = processes.python("-m", "mjx_assist", "train", "--resume", path)
    with (
        open(said, "w", encoding="utf-8") as stream,
        subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=processes.environment()) as process,
    ):
        try:
            code = process.wait()
        except KeyboardInterrupt as stop:
            process.terminate()  # it saves, then ends
            process.wait()
            raise UserError("stopped after saving; the same command goes on where it stopped") from stop
    if code:
        last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        reason = (last or [f"exit code {code}"])[0].removeprefix("mjx-assist: error: ")
        raise UserError(f"training failed: {reason} (all of it: {said})")


def _known(path: Path, config: RunConfig, walks: Walks) -> dict | None:
    """The row as it was made before, if it was made so."""
    try:
        row = json.loads((path.parent / ROW).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) and row.get("key") == _key(config, walks) else None


def _key(config: RunConfig, walks: Walks) -> str:
    """What a row's figures depend on, as a checksum."""
    text = json.dumps([configs.to_dict(config), dataclasses.asdict(walks)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
