"""The shipped policy's gait has converged in the physics rate it was trained at."""

import physics_rate

from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles


def test_240_hz_walks_within_a_degree_of_1920_hz():
    bundle = bundles.load(data_path("models", "policies", "walk22_exo"))
    rate = bundle.config.env_params.physics_sim_framerate
    found = physics_rate.convergence(bundle, rates=(rate, 4 * rate), windows=4)["rates"]
    for joint in ("pelvis_tilt", "hip_flexion", "knee_angle", "ankle_angle"):
        assert found[rate][joint]["mean_deg"] < 1.0, joint
    for joint, figures in found[4 * rate].items():  # first order: a quarter of the step, about a quarter of the error
        assert figures["mean_deg"] < 0.5 * found[rate][joint]["mean_deg"], joint
