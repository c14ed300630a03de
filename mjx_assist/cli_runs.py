"""Several runs: `train --seeds` with mean and spread over them, and the command `plot`."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

from mjx_assist import cli_train
from mjx_assist import config as configs
from mjx_assist.cli_output import check_writable, number, table, write_json
from mjx_assist.config import RunConfig
from mjx_assist.errors import UserError
from mjx_assist.run_log import EVALUATION_LOG, TRAIN_LOG, read_rows

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


def plot(arguments: argparse.Namespace) -> None:
    """Draw the curves of some runs, of several with their mean and spread."""
    from mjx_assist.eval import training_plots

    if not arguments.out and len(arguments.runs) > 1:
        raise UserError("plot: several RUNs need -o DIR, the folder for the pictures.")
    out = Path(arguments.out or Path(arguments.runs[0]) / training_plots.PLOTS)
    check_writable(out, folder=True)
    runs = [run for path in arguments.runs for run in training_plots.runs_in(path)]
    for picture in training_plots.draw(runs, out):
        print(picture)


def train_seeds(arguments: argparse.Namespace) -> None:
    """Runs with seeds one after another, in ``seed_<seed>/`` of one folder; finished ones are left as they are."""
    if arguments.hosts:
        raise UserError("--seeds and --hosts: runs with several seeds are made on one host.")
    parent, runs = _old_runs(arguments) if arguments.resume else _new_runs(arguments)
    cli_train.start_jax(arguments, runs[0][1])
    cli_train.more_callbacks(arguments)
    if parent is None:
        parent, runs = _make_folders(arguments, runs)
    for run, config in runs:
        if _finished(run, config):
            print(f"run {run}: finished before")
            continue
        try:
            cli_train.train_run(config, run, True, cli_train.more_callbacks(arguments, parent.name))
        except UserError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                told = f"stopped after saving; go on with: mjx-assist train --resume {parent}"
                raise UserError(told) from error.__cause__
            raise
        write_json(parent / SEEDS_FILE, over_seeds([run for run, config in runs if _finished(run, config)]))
    _tell(parent, [run for run, _ in runs])


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
    rows, evaluations = read_rows(run / TRAIN_LOG), read_rows(run / EVALUATION_LOG)
    end = rows[-max(1, round(END * len(rows))) :]
    ended = sum(row["episodes"] for row in end)
    walked = [row["control_steps"] for row in evaluations if row["falls"] == 0]
    last = evaluations[-1] if evaluations else {}
    return {
        "seed": configs.load(run / cli_train.SESSION_CONFIG).env_params.seed,
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


def seeds_table(figures: dict) -> str:
    """A line for each seed, then mean and standard deviation."""
    lines = [(str(run["seed"]), run) for run in figures["runs"]]
    lines += [(name, {c: s[name] for c, s in figures["over_seeds"].items()}) for name in ("mean", "sd")]
    rows = [(name, *(number(line[c], form) for c, (_, form) in COLUMNS.items())) for name, line in lines]
    return table(("seed", *(title for title, _ in COLUMNS.values())), rows) + "\n" + NOTE


def _new_runs(arguments: argparse.Namespace) -> tuple[None, Runs]:
    """Configs with the seed of CONFIG and those after it; nothing is written."""
    config = configs.load(cli_train.config_file(arguments), arguments.overrides)
    first = config.env_params.seed
    return None, [(Path(f"seed_{seed}"), _seeded(config, seed)) for seed in range(first, first + arguments.seeds)]


def _old_runs(arguments: argparse.Namespace) -> tuple[Path, Runs]:
    """The runs of a folder that was made before, each with its own config or what is to change in it."""
    parent = Path(arguments.resume)
    if arguments.seeds:
        raise UserError(f"--seeds with --resume: {str(parent)!r} has its seeds; leave --seeds out.")
    runs = []
    for own in parent.glob(f"seed_*/{cli_train.SESSION_CONFIG}"):
        seed = ("env_params.seed", str(configs.load(own).env_params.seed))
        given = argparse.Namespace(**{**vars(arguments), "overrides": [*arguments.overrides, seed]})
        runs.append((own.parent, cli_train.resumed(given, own.parent)))
    runs.sort(key=lambda run: run[1].env_params.seed)
    return parent, runs


def _make_folders(arguments: argparse.Namespace, runs: Runs) -> tuple[Path, Runs]:
    """A folder for the runs with a folder for each, its config in it: all that going on later needs."""
    from mjx_assist.ppo import train as training

    parent = training.new_run_directory(Path(arguments.out), "seeds")
    runs = [(parent / run, config) for run, config in runs]
    for run, config in runs:
        run.mkdir()
        write_json(run / cli_train.SESSION_CONFIG, configs.to_dict(config))
    return parent, runs


def _seeded(config: RunConfig, seed: int) -> RunConfig:
    return dataclasses.replace(config, env_params=dataclasses.replace(config.env_params, seed=seed))


def _finished(run: Path, config: RunConfig) -> bool:
    """Whether a run has all its control steps and its policy."""
    rows = read_rows(run / TRAIN_LOG)
    done = bool(rows) and rows[-1]["control_steps"] >= config.total_timesteps
    return done and (run / "policy" / "bundle.json").is_file()


def _tell(parent: Path, runs: Sequence[Path]) -> None:
    from mjx_assist.eval import training_plots

    figures = over_seeds(runs)
    write_json(parent / SEEDS_FILE, figures)
    training_plots.draw(runs, parent / training_plots.PLOTS, f"{parent.name}: {len(runs)} seeds")
    print("\n" + seeds_table(figures))
    print(f"\nruns    {parent}\nfigures {parent / SEEDS_FILE}\nplots   {parent / training_plots.PLOTS}")
