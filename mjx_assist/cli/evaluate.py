"""The command `evaluate`: a trained policy walks in CPU MuJoCo and is measured. No JAX for a bundle."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import Parser, add_episodes, add_policy, model_of
from mjx_assist.cli.conditions import add_conditions, given, under
from mjx_assist.config.words import LEARNED, MODEL_KINDS
from mjx_assist.errors import UserError
from mjx_assist.eval.gait import turning
from mjx_assist.eval.gait.angles import SAGITTAL
from mjx_assist.eval.gait.summary import episode_summary
from mjx_assist.eval.replay.conditions import describe
from mjx_assist.eval.replay.replay import walk
from mjx_assist.eval.studies import stress as sweeps
from mjx_assist.eval.studies import trials
from mjx_assist.eval.studies.statistics import mean_of
from mjx_assist.files.atomic import check_writable
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import number, table
from mjx_assist.model.names import is_muscle
from mjx_assist.policy.bundle import reduced_model
from mjx_assist.training.export import load_policy

STRESS_JSON, STRESS_FIGURE = "stress.json", "stress"
ANGLES = tuple(angle.column for angle in SAGITTAL.values())


def add_evaluate(parser: Parser) -> None:
    add_policy(parser, MODEL_KINDS)
    add_conditions(parser)
    add_episodes(parser, episodes=5)
    parser.add_argument("--json", metavar="FILE", help="write the figures of every episode here")
    text = "survival against pushes, friction, loss of strength, noise and delay instead"
    parser.add_argument("--stress", action="store_true", help=text)
    parser.add_argument("-o", "--out", metavar="DIR", help="of --stress: the folder for its JSON and its figure")
    parser.set_defaults(run=evaluate)


def evaluate(arguments: argparse.Namespace) -> None:
    """Walk some episodes, print a line of figures for each, write them with ``--json``."""
    if arguments.json:
        check_writable(arguments.json, folder=False)
    if arguments.stress:
        _stress(arguments)
        return
    if arguments.out:
        raise UserError("-o goes with --stress only.")
    bundle, conditions = under(arguments, load_policy(arguments.policy))
    kind = model_of(arguments.model, [bundle])
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    episodes = [episode_summary(walk(bundle, kind, arguments.steps, seed, conditions=conditions)) for seed in seeds]
    falls = sum(episode["fell"] for episode in episodes)
    print(f"{bundle.human} with {bundle.device}, {kind} model, {arguments.steps} control steps asked")
    print(episode_table(episodes))
    print(f"fell in {falls} of {len(episodes)} episodes")
    if arguments.json:
        settings = bundle.config.env_params.controller
        head = {"policy": str(arguments.policy), "human": bundle.human, "device": bundle.device, "model": kind}
        head |= {"controller": settings.type if settings else LEARNED}
        head = {**head, "conditions": describe(conditions)}
        write_json(arguments.json, {**head, "steps_asked": arguments.steps, "falls": falls, "episodes": episodes})


def episode_table(episodes: list[dict]) -> str:
    """One line an episode."""
    header = ("seed", "steps", "time s", "distance m", "speed m/s", "fell", *ANGLES)
    note = f"{', '.join(ANGLES)}: correlation with the reference gait / RMSE in degrees"
    told = turning_line(episodes)
    return "\n".join([table(header, [_cells(episode) for episode in episodes]), note, *([told] if told else [])])


def turning_line(episodes: list[dict]) -> str | None:
    """How well turns were kept to, mean of the episodes; None where none was asked."""
    asked = [episode for episode in episodes if turning.KEYS[0] in episode]
    rate, heading, off_rate, path = (mean_of(asked, lambda e, key=key: e[key]) for key in turning.KEYS)
    if not asked:
        return None
    shown = [number(value, form) for value, form in ((rate, ".1f"), (heading, ".1f"), (off_rate, ".1f"), (path, ".2f"))]
    return "turn: {} degrees/s asked; off the heading {} degrees, the rate {} degrees/s, the path {} m".format(*shown)


def _cells(episode: dict) -> tuple[str, ...]:
    tracking = zip(episode["corr_reference"].values(), episode["rmse_deg"].values(), strict=True)
    return (
        str(episode["seed"]),
        str(episode["steps"]),
        *(number(episode[key], ".2f") for key in ("time_s", "distance_m", "mean_speed_m_s")),
        "yes" if episode["fell"] else "no",
        *(f"{number(corr, '.3f')} / {number(rmse, '4.1f')}" for corr, rmse in tracking),
    )


def episode_line(episode: dict) -> str:
    """An episode in one line."""
    fell = "fell after" if episode["fell"] else "walked"
    speed = number(episode["mean_speed_m_s"], ".2f")
    return f"{fell} {episode['time_s']:.1f} s, {episode['distance_m']:.1f} m, {speed} m/s"


def _stress(arguments: argparse.Namespace) -> None:
    """``--stress``: walk all sweeps, print a line for each, write what was asked for."""
    if flags := [flag for flag in given(arguments) if flag != "--device"]:
        raise UserError(f"{flags[0]} does not go with --stress, whose sweeps have conditions of their own.")
    if arguments.out:
        check_writable(arguments.out, folder=True)
    bundle, _ = under(arguments, load_policy(arguments.policy))
    kind = model_of(arguments.model, [bundle])
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    seconds = arguments.steps / bundle.config.env_params.control_framerate
    if seconds <= (latest := max(sweep.begins for sweep in sweeps.SWEEPS)):
        raise UserError(
            f"--stress with --steps {arguments.steps}: walks of {seconds:.1f} s never meet what begins after "
            f"{latest:g} s; give --steps more."
        )
    worn = not is_muscle(reduced_model(bundle)).all()
    walks = sweeps.trials(kind, seconds, seeds, worn)
    every = [trial for part in walks.values() for trial in part]
    outcomes = {under: [{}] * len(seeds) for under in walks}
    for index, outcome in trials.run([bundle], every):
        outcomes[every[index].conditions][every[index].seed - seeds[0]] = outcome
    found = sweeps.points(outcomes)
    about = f"{bundle.human} with {bundle.device}, {kind} model, {seconds:.0f} s, {len(seeds)} seeds"
    print(about)
    print(_stress_table(found))
    if any(point["fell_before"] for point in found):
        print("of: walks that met the disturbance; those that fell before it do not count")
    for point in found:
        if point.get("fell_within_10_s") is not None:
            print(f"fell within 10 s of the device going off: {point['fell_within_10_s']} of {point['seeds']}")
    content = {
        "schema_version": sweeps.SCHEMA_VERSION,
        "policy": str(arguments.policy),
        "human": bundle.human,
        "device": bundle.device,
        "model": kind,
        "seconds": seconds,
        "borne_share": sweeps.BEARS,
        "borne": {name: sweeps.borne(points) for name, points in sweeps.by_sweep(found).items()},
        "points": found,
    }
    if arguments.json:
        write_json(arguments.json, content)
    if arguments.out:
        _write_stress(Path(arguments.out), content, about)


def _write_stress(out: Path, content: dict, about: str) -> None:
    from mjx_assist.eval.plots.stress import survival
    from mjx_assist.eval.plots.style import save

    write_json(out / STRESS_JSON, content)
    save(survival(content["points"], about), out / STRESS_FIGURE, dpi=200)
    print(f"\nfigure {out / STRESS_FIGURE}.png, .svg\ntable  {out / STRESS_JSON}")


def _stress_table(found: list[dict]) -> str:
    """A line for each disturbance and size."""
    lines = []
    of = {sweep.name: sweep for sweep in sweeps.SWEEPS}
    for name, points in sweeps.by_sweep(found).items():
        sweep = of[name]
        for point in points:
            share = f"{point['survived']} of {point['seeds']}"
            limits = f"{100 * point['survived_low']:.0f} to {100 * point['survived_high']:.0f}"
            walked, speed = number(point["walked_s"], ".1f"), number(point["speed_m_s"], ".2f")
            lines.append((sweep.title, f"{point['size']:g}", sweep.unit, share, limits, walked, speed))
    return table(("disturbance", "size", "", "stood", "95 % (%)", "walked s", "m/s"), lines)
