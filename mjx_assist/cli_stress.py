"""`evaluate --stress`: survival against pushes, friction, strength, noise and delay, as a table, JSON and a figure."""

import argparse
from pathlib import Path

from mjx_assist.cli_output import check_writable, number, table, write_json
from mjx_assist.eval import stress as sweeps
from mjx_assist.eval import trials
from mjx_assist.eval.controller_choice import with_controller
from mjx_assist.eval.export import open_policy
from mjx_assist.eval.record import replacing

JSON, FIGURE = "stress.json", "stress"


def stress(arguments: argparse.Namespace) -> None:
    """Walk all sweeps, print a line for each, write what was asked for."""
    if arguments.out:
        check_writable(arguments.out, folder=True)
    bundle = with_controller(open_policy(arguments.policy), arguments.controller)
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    seconds = arguments.steps / bundle.config.env_params.control_framerate
    walks = sweeps.trials(arguments.model, seconds, seeds)
    every = [trial for part in walks.values() for trial in part]
    outcomes = {under: [{}] * len(seeds) for under in walks}
    for index, outcome in trials.run([bundle], every):
        outcomes[every[index].conditions][every[index].seed - seeds[0]] = outcome
    found = sweeps.points(outcomes)
    about = f"{bundle.human} with {bundle.device}, {arguments.model} model, {seconds:.0f} s, {len(seeds)} seeds"
    print(about)
    print(_table(found))
    content = {
        "schema_version": sweeps.SCHEMA_VERSION,
        "policy": str(arguments.policy),
        "human": bundle.human,
        "device": bundle.device,
        "model": arguments.model,
        "seconds": seconds,
        "borne_share": sweeps.BEARS,
        "borne": {name: sweeps.borne(points) for name, points in sweeps.by_sweep(found).items()},
        "points": found,
    }
    if arguments.json:
        write_json(arguments.json, content)
    if arguments.out:
        _write(Path(arguments.out), content, about)


def _write(out: Path, content: dict, about: str) -> None:
    from mjx_assist.eval import plots
    from mjx_assist.eval.stress_plots import survival

    write_json(out / JSON, content)
    figure = survival(content["points"], about)
    for suffix, made in ((".png", plots.png(figure, dpi=200)), (".svg", plots.svg(figure))):
        with replacing(out / f"{FIGURE}{suffix}") as stream:
            stream.write(made)
    print(f"\nfigure {out / FIGURE}.png, .svg\ntable  {out / JSON}")


def _table(found: list[dict]) -> str:
    """A line for each disturbance and size."""
    lines = []
    for sweep, points in zip(sweeps.SWEEPS, sweeps.by_sweep(found).values(), strict=True):
        for point in points:
            share = f"{point['survived']} of {point['seeds']}"
            limits = f"{100 * point['survived_low']:.0f} to {100 * point['survived_high']:.0f}"
            walked, speed = number(point["walked_s"], ".1f"), number(point["speed_m_s"], ".2f")
            lines.append((sweep.title, f"{point['size']:g}", sweep.unit, share, limits, walked, speed))
    return table(("disturbance", "size", "", "stood", "95 % (%)", "walked s", "m/s"), lines)
