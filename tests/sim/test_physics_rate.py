"""The shipped policy's gait has converged in the physics rate it was trained at."""

import importlib.util
from pathlib import Path

from mjx_assist.data import data_path
from mjx_assist.eval import bundle as bundles


def test_240_hz_walks_within_a_degree_of_1920_hz():
    path = Path(__file__).parents[2] / "benchmarks" / "physics_rate.py"
    spec = importlib.util.spec_from_file_location("physics_rate", path)
    physics_rate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(physics_rate)
    bundle = bundles.load(data_path("models", "policies", "walk22_exo"))
    rate = bundle.config.env_params.physics_sim_framerate
    found = physics_rate.convergence(bundle, rates=(rate, 4 * rate), windows=4)["rates"]
    for joint in ("pelvis_tilt", "hip_flexion", "knee_angle", "ankle_angle"):
        assert found[rate][joint]["mean_deg"] < 1.0, joint
    for joint, figures in found[4 * rate].items():  # first order: a quarter of the step, about a quarter of the error
        assert figures["mean_deg"] < 0.5 * found[rate][joint]["mean_deg"], joint
