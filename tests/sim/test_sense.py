"""What no walker could do is refused before it is tried, with the sentence that says why."""

import dataclasses

import numpy as np
import pytest

from mjx_assist import config as configs
from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.model.names import joint_names
from mjx_assist.paths import data_path
from mjx_assist.sim import sense

LEVELS = {"by_level": {"max_target_velocity": [1.5, 2.4], "safe_height": [0.5, 1.5]}}
FIXED = {"min_target_velocity": 3.0, "max_target_velocity": 3.0}


def params(**changes) -> EnvParams:
    return configs.from_dict({"env_params": changes}).env_params


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"safe_height": 0.95}, ("'env_params.safe_height'", "0.95 m", "every walker would count as fallen")),
        ({"safe_height": 5}, ("'env_params.safe_height'", "5 m")),
        (FIXED, ("'env_params.min_target_velocity'", "3 m/s", "0.5 to 2 m/s")),
        ({"max_target_velocity": 2.1}, ("'env_params.max_target_velocity'", "2.1 m/s")),
        ({"min_target_velocity": 0.1}, ("'env_params.min_target_velocity'", "0.1 m/s")),
        ({"max_target_velocity": 90}, ("90 m/s", "0.5 to 2 m/s")),
        ({"curriculum": LEVELS, "max_target_velocity": 1.5}, ("curriculum.by_level.max_target_velocity", "2.4 m/s")),
        ({"physics_sim_framerate": 30}, ("'env_params.physics_sim_framerate'", "33.3 ms", "20 ms", "100 Hz")),
        ({"physics_sim_framerate": 90}, ("at 90 Hz", "11.1 ms", "100 Hz")),
        ({"physics_sim_framerate": 1, "control_framerate": 1}, ("at 1 Hz", "100 Hz")),
    ],
)
def test_what_cannot_be_walked_is_refused(reduced, gait, changes, said):
    with pytest.raises(UserError) as error:
        sense.check(params(**changes), reduced.model, gait)
    assert all(part in str(error.value) for part in said), error.value


def test_all_presets_make_sense(reduced, gait):
    for path in sorted(data_path("configs").glob("*.json")):
        config = configs.load(path)
        if config.env_params.device_key == "Tutorial_L1" and config.env_params.msk_key == "myolegs22":
            sense.check(config.env_params, reduced.model, gait)
            sense.check_run(config, gait)


def test_the_bounds_are_the_gaits_and_the_contacts_own(reduced, gait):
    """Just inside each: the lowest pelvis of the gait, its speeds, two steps in a contact's time constant."""
    pelvis = gait.qpos[..., joint_names(reduced.model).index("pelvis_ty")].min() + anatomy.height_offset(reduced.model)
    sense.check(params(safe_height=float(pelvis) - 1e-3), reduced.model, gait)
    sense.check(params(min_target_velocity=0.5, max_target_velocity=2.0), reduced.model, gait)
    rate = round(2 / reduced.model.pair_solref[:, 0].min())
    sense.check(params(physics_sim_framerate=rate, control_framerate=rate // 2), reduced.model, gait)


def test_a_motion_of_one_speed_serves_for_a_tenth_around_it(reduced, gait):
    speed = gait.speed[3:4]
    one = dataclasses.replace(gait, speed=speed, qpos=gait.qpos[3:4])
    sense.check(params(min_target_velocity=1.2, max_target_velocity=1.3), reduced.model, one)
    with pytest.raises(UserError, match=r"1\.125 to 1\.375 m/s"):
        sense.check(params(min_target_velocity=1.2, max_target_velocity=1.4), reduced.model, one)
    assert np.isclose(speed[0], 1.25)


def test_a_run_needs_a_reward_and_reports_within_the_reference(gait):
    with pytest.raises(UserError, match="every weight is 0"):
        sense.check_run(configs.from_dict({}), gait)
    nothing = {"env_params": {"reward_keys_and_weights": {"qpos_imitation_rewards": {"*knee_angle_?": 0.0}}}}
    with pytest.raises(UserError, match="nothing to learn"):
        sense.check_run(configs.from_dict(nothing), gait)
    rewards = {"reward_keys_and_weights": {"forward_reward": 1.0}}
    fast = {"env_params": rewards, "evaluate_param_list": [{"max_target_velocity": 2.5}]}
    with pytest.raises(UserError, match=r"evaluate_param_list\[0\].max_target_velocity.*2.5 m/s"):
        sense.check_run(configs.from_dict(fast), gait)
    sense.check_run(configs.from_dict({"env_params": rewards}), gait)
