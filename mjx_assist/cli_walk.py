"""The command `evaluate`: a trained policy walks in CPU MuJoCo and is measured. No JAX for a bundle."""

import argparse
import sys
import time

from mjx_assist.cli_output import check_writable, number, table, write_json
from mjx_assist.control.settings import LEARNED
from mjx_assist.errors import UserError
from mjx_assist.eval.bundle import Bundle
from mjx_assist.eval.controller_choice import with_controller
from mjx_assist.eval.export import open_policy
from mjx_assist.eval.metrics import episode_summary
from mjx_assist.eval.record import GaitRecord
from mjx_assist.eval.replay import replay as replay_episode
from mjx_assist.eval.walker import Walker

ANGLES = {"hip": "hip", "knee": "knee", "ankle": "ankle", "pelvis_tilt": "tilt"}


def evaluate(arguments: argparse.Namespace) -> None:
    """Walk some episodes, print a line of figures for each, write them with ``--json``."""
    if arguments.json:
        check_writable(arguments.json, folder=False)
    if arguments.stress:
        from mjx_assist.cli_stress import stress

        stress(arguments)
        return
    if arguments.out:
        raise UserError("-o goes with --stress only.")
    bundle = with_controller(open_policy(arguments.policy), arguments.controller)
    kind = arguments.model
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    episodes = [episode_summary(walk(bundle, kind, arguments.steps, seed)) for seed in seeds]
    falls = sum(episode["fell"] for episode in episodes)
    print(f"{bundle.human} with {bundle.device}, {kind} model, {arguments.steps} control steps asked")
    print(episode_table(episodes))
    print(f"fell in {falls} of {len(episodes)} episodes")
    if arguments.json:
        settings = bundle.config.env_params.device_controller
        head = {"policy": str(arguments.policy), "human": bundle.human, "device": bundle.device, "model": kind}
        head["controller"] = settings.type if settings else LEARNED
        write_json(arguments.json, {**head, "steps_asked": arguments.steps, "falls": falls, "episodes": episodes})


def walk(bundle: Bundle, kind: str, steps: int, seed: int, record_rate: float | None = None) -> GaitRecord:
    """One episode, with its progress on stderr."""
    name = f"{kind} model, seed {seed}"
    length = steps / bundle.config.env_params.control_framerate
    live = sys.stderr.isatty()

    def on_step(_: Walker, now: float) -> bool:
        if live:
            print(f"\r{name}: {now:5.1f} of {length:.1f} s", end="", file=sys.stderr, flush=True)
        return True

    start = time.perf_counter()
    record = replay_episode(bundle, kind, steps, seed, on_step, record_rate)
    news = f"{name}: {'fell after' if record.fell else 'walked'} {record.time[-1]:.1f} s"
    took = time.perf_counter() - start
    print(f"{chr(13) if live else ''}{news}, simulated in {took:.1f} s", file=sys.stderr, flush=True)
    return record


def episode_table(episodes: list[dict]) -> str:
    """One line an episode."""
    header = ("seed", "steps", "time s", "distance m", "speed m/s", "fell", *ANGLES.values())
    note = f"{', '.join(ANGLES.values())}: correlation with the reference gait / RMSE in degrees"
    return table(header, [_cells(episode) for episode in episodes]) + "\n" + note


def _cells(episode: dict) -> tuple[str, ...]:
    tracking = zip(episode["corr_reference"].values(), episode["rmse_deg"].values(), strict=True)
    return (
        str(episode["seed"]),
        str(episode["steps"]),
        *(number(episode[key], ".2f") for key in ("time_s", "distance_m", "mean_speed_m_s")),
        "yes" if episode["fell"] else "no",
        *(f"{number(corr, '.3f')} / {number(rmse, '4.1f')}" for corr, rmse in tracking),
    )


def told(episode: dict) -> str:
    """An episode in one line."""
    fell = "fell after" if episode["fell"] else "walked"
    speed = number(episode["mean_speed_m_s"], ".2f")
    return f"{fell} {episode['time_s']:.1f} s, {episode['distance_m']:.1f} m, {speed} m/s"
