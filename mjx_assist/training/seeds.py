"""Runs that differ in their seed alone: which are finished, and mean and spread of their figures."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev

from mjx_assist import config as configs
from mjx_assist.config.limits import SEED
from mjx_assist.config.schema import RunConfig
from mjx_assist.errors import UserError
from mjx_assist.files.logs import read_rows
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import number, table
from mjx_assist.files.untrusted import read_json
from mjx_assist.paths import EVALUATION_LOG, POLICY_FOLDER, SESSION_CONFIG, TRAIN_LOG
from mjx_assist.policy.bundle import MANIFEST, is_bundle
from mjx_assist.training import origin, run

SEEDS_FILE = "seeds.json"
END = 0.05  # of a run's updates: what its reward and episodes at the end are means over
# Figure -> its column's title and format; None is a dash.
COLUMNS = {
    "minutes": ("minutes", ".1f"),
    "steps_per_s": ("steps/s", ",.0f"),
    "reward": ("reward", ".4f"),
    "episode_length": ("episode", ".0f"),
    "steps_to_walk": ("walks from", ",.0f"),
    "walking_time_s": ("walks s", ".1f"),
    "speed_m_s": ("m/s", ".2f"),
    "correlation/hip": ("hip", ".3f"),
    "correlation/knee": ("knee", ".3f"),
    "correlation/ankle": ("ankle", ".3f"),
}
NOTE = (
    "reward, episode: means over the last updates, per and in control steps; walks from: control steps at the first\n"
    "evaluation without a fall; walks, m/s, hip, knee, ankle: the last evaluation, correlation with the reference gait"
)

Runs = list[tuple[Path, RunConfig]]


def new_runs(config: RunConfig, count: int) -> Runs:
    """Configs with the seed of ``config`` and those after it, by the names of their folders; nothing is written.

    Raises:
        UserError: there are not so many seeds.
    """
    first = config.env_params.seed
    if not SEED.holds(first + count - 1):
        raise UserError(
            f"{count} seeds from env_params.seed = {first} on: the last, {first + count - 1}, must {SEED.words}."
        )
    return [(Path(f"seed_{seed}"), seeded(config, seed)) for seed in range(first, first + count)]


def make_folders(out: Path, runs: Runs, name: str | None = None) -> tuple[Path, Runs]:
    """A folder for the runs with a folder for each, its config in it: all that going on later needs."""
    from mjx_assist.training.loop import new_run_directory

    parent = new_run_directory(out, "seeds", name)
    runs = [(parent / path, config) for path, config in runs]
    for path, config in runs:
        path.mkdir()
        origin.begin(path, config)
    return parent, runs


def is_parent(path: Path) -> bool:
    """Whether a folder is one that `make_folders` made."""
    return any(path.glob(f"seed_*/{SESSION_CONFIG}"))


def runs_in(parent: Path) -> list[Path]:
    """The runs of such a folder, in the order of their seeds."""
    found = [own.parent for own in parent.glob(f"seed_*/{SESSION_CONFIG}")]
    return sorted(found, key=lambda path: configs.load(path / SESSION_CONFIG).env_params.seed)


def train(parent: Path, runs: Runs, callbacks: Callable[[], Sequence] = tuple) -> None:
    """One run after another; finished ones are left as they are. ``callbacks()`` gives a run its own.

    Raises:
        UserError: as a run does; stopped runs go on with the next call.
    """
    with run.only_here(parent):
        for path, config in runs:
            if finished(path, config):
                print(f"run {path}: finished before")
                continue
            try:
                run.train_in(path, config, True, callbacks())
            except UserError as error:
                if isinstance(error.__cause__, KeyboardInterrupt):
                    message = f"stopped after saving; go on with: mjx-assist train --resume {parent}"
                    raise UserError(message) from error.__cause__
                raise
            write_json(parent / SEEDS_FILE, over_seeds([path for path, config in runs if finished(path, config)]))


def summarize(parent: Path, runs: Sequence[Path]) -> tuple[dict, Path]:
    """Write ``seeds.json`` and the curves with mean and spread; returns the figures and the pictures' folder."""
    from mjx_assist.eval.plots import training as training_plots

    figures, plots = over_seeds(runs), parent / training_plots.PLOTS
    write_json(parent / SEEDS_FILE, figures)
    training_plots.draw(runs, plots, f"{parent.name}: {len(runs)} seeds")
    return figures, plots


def as_table(figures: dict) -> str:
    """A line for each seed, then mean and standard deviation."""
    lines = [(str(run["seed"]), run) for run in figures["runs"]]
    lines += [(name, {c: s[name] for c, s in figures["over_seeds"].items()}) for name in ("mean", "sd")]
    rows = [(name, *(number(line[c], form) for c, (_, form) in COLUMNS.items())) for name, line in lines]
    return table(("seed", *(title for title, _ in COLUMNS.values())), rows) + "\n" + NOTE


def over_seeds(runs: Sequence[Path]) -> dict:
    """What ``seeds.json`` holds: the figures of every run, and their mean, SD (of a sample), least and most."""
    each = [outcome(run) for run in runs]
    spread = {}
    for name in COLUMNS:
        known = [figures[name] for figures in each if figures[name] is not None]
        spread[name] = {
            "known": len(known),
            "mean": fmean(known) if known else None,
            "sd": stdev(known) if len(known) > 1 else None,
            "least": min(known, default=None),
            "most": max(known, default=None),
        }
    return {"runs": each, "over_seeds": spread}


def outcome(run: Path) -> dict:
    """The figures of one finished run; None for what was not measured."""
    rows = read_rows(run / TRAIN_LOG, keys=("control_steps", "wall_s", "reward", "episodes", "episode_length"))
    evaluations = read_rows(run / EVALUATION_LOG, keys=("control_steps", "falls"))
    if not rows:
        raise UserError(f"{str(run / TRAIN_LOG)!r} has no whole line, so the run has no figures.")
    end = rows[-max(1, round(END * len(rows))) :]
    ended = sum(row["episodes"] for row in end)
    walked = [row["control_steps"] for row in evaluations if row["falls"] == 0]
    last = evaluations[-1] if evaluations else {}
    return {
        "seed": configs.load(run / SESSION_CONFIG).env_params.seed,
        "run": run.name,
        "control_steps": rows[-1]["control_steps"],
        "minutes": rows[-1]["wall_s"] / 60,
        "steps_per_s": rows[-1]["control_steps"] / rows[-1]["wall_s"],
        "reward": fmean(row["reward"] for row in end),
        "episode_length": sum(row["episodes"] * row["episode_length"] for row in end) / ended if ended else None,
        "steps_to_walk": walked[0] if walked else None,
        "falls": last.get("falls"),
        **{name: last.get(name) for name in COLUMNS if name in ("walking_time_s", "speed_m_s") or "/" in name},
    }


def seeded(config: RunConfig, seed: int) -> RunConfig:
    return dataclasses.replace(config, env_params=dataclasses.replace(config.env_params, seed=seed))


def finished(run: Path, config: RunConfig) -> bool:
    """Whether a run has all its control steps and its policy."""
    rows = read_rows(run / TRAIN_LOG)
    steps = (rows[-1].get("control_steps") if rows else None) or 0
    return steps >= config.total_timesteps and is_bundle(run / POLICY_FOLDER) and _exported_at_the_end(run, steps)


def _exported_at_the_end(run: Path, control_steps: int) -> bool:
    """Whether ``policy/`` is not that of an earlier end, after which the run went on."""
    manifest = read_json(run / POLICY_FOLDER / MANIFEST, f"bundle {str(run / POLICY_FOLDER)!r}")
    return isinstance(manifest, dict) and manifest.get("control_steps", control_steps) >= control_steps
