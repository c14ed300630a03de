"""MyoAssist's `evaluate_param_list`: after training, a report of the policy for each of its entries."""

import dataclasses
from pathlib import Path

from mjx_assist.config.around import EvaluateParams
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.report.gait import write_report
from mjx_assist.eval.report.run_info import run_info
from mjx_assist.policy.bundle import Bundle

SEEDS = (0, 1, 2)  # an episode each


def analyze(bundle: Bundle, run: Path, control_steps: int) -> list[Path]:
    """Write ``analyze_results_<control steps>_<nn>/`` into ``run`` for each entry of the policy's config.

    Raises:
        UserError: a folder that cannot be written.
    """
    folders = []
    for number, entry in enumerate(bundle.config.evaluate_param_list):
        folder = run / f"analyze_results_{control_steps}_{number:02d}"
        requested = commanded(bundle, entry)
        records = [replay(requested, bundle.config.env_params.model_kind, entry.num_timesteps, seed) for seed in SEEDS]
        title = f"Gait of {bundle.human} with {bundle.device}"
        curve = list(bundle.learning_curve) or None
        write_report(folder, records, curve, title, run_info(records, str(run), requested))
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
