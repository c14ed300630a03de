"""MyoAssist's `evaluate_param_list`: after training or on request, a report of the policy for each of its entries, with
what an `analyze_results` of MyoAssist's has."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from mjx_assist.config.around import EvaluateParams
from mjx_assist.eval.formats.myoassist import write_json
from mjx_assist.eval.plots import analysis
from mjx_assist.eval.plots.style import DPI, save
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.report.gait import write_report
from mjx_assist.eval.report.run_info import run_info
from mjx_assist.policy.bundle import Bundle

SEEDS = (0, 1, 2)  # an episode each
Film = Callable[[Bundle, GaitRecord, Path], None]
RECORD, FILM = "gait_evaluated_data.json", "replay.mp4"  # as MyoAssist calls them


def analyze(bundle: Bundle, run: Path, control_steps: int, film: Film | None = None) -> list[Path]:
    """Write ``analyze_results_<control steps>_<nn>/`` into ``run`` for each entry of the policy's config.

    ``film``: what makes a film of the first episode, if one is wanted.

    Raises:
        UserError: a folder that cannot be written.
    """
    folders = []
    for number, entry in enumerate(bundle.config.evaluate_param_list):
        folder = run / f"analyze_results_{control_steps}_{number:02d}"
        requested, kind = commanded(bundle, entry), bundle.config.env_params.model_kind
        records = [replay(requested, kind, entry.num_timesteps, seed) for seed in SEEDS]
        title = f"Gait of {bundle.human} with {bundle.device}"
        curve = list(bundle.learning_curve) or None
        write_report(folder, records, curve, title, run_info(records, str(run), requested))
        _in_full(records[0].finite_part(), folder)
        if film:
            film(requested, records[0], folder / FILM)
        folders.append(folder)
    return folders


def commanded(bundle: Bundle, entry: EvaluateParams) -> Bundle:
    """The policy, commanded as an entry says."""
    period = entry.target_velocity_period
    env = dataclasses.replace(
        bundle.config.env_params,
        velocity_mode=entry.velocity_mode,
        min_target_velocity=entry.min_target_velocity,
        max_target_velocity=entry.max_target_velocity,
        min_target_velocity_period=period,
        max_target_velocity_period=period,
    )
    return dataclasses.replace(bundle, config=dataclasses.replace(bundle.config, env_params=env))


def _in_full(record: GaitRecord, folder: Path) -> None:
    """Of one walk all that is drawn of MyoAssist's, and its gait data as MyoAssist reads it."""
    write_json(record, folder / RECORD)
    figures = {
        "over_time": analysis.over_time(record),
        "every_stride": analysis.every_stride(record),
        "angles_by_speed": analysis.by_speed(record),
        "muscle_force": analysis.of_muscles(record, record.muscle_force, "force (N)"),
        "muscle_excitation": analysis.of_muscles(record, record.excitation, "excitation"),
    }
    for name, figure in figures.items():
        save(figure, folder / name, DPI)
