"""A curriculum that cannot mean anything is a mistake told before a run, by key, value and nearest match."""

import json
import re

import pytest
from checkout import ROOT

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.curriculum import progress
from mjx_assist.errors import UserError

ENV = {
    "max_target_velocity": 1.9,
    "randomization": {"slope": [-0.1, 0.1], "device_bandwidth": [5.0, 20.0]},
    "reward_keys_and_weights": {"forward_reward": 1.0, "qpos_imitation_rewards": {"*hip*": 1.0}},
}
SPEED = {"max_target_velocity": [1.25, 1.9]}


def config(curriculum, **env):
    return configs.from_dict({"env_params": {**ENV, **env, "curriculum": curriculum}})


def test_all_that_the_guide_says_can_change_is_accepted_and_read_back():
    made = config(
        {
            "levels": 12,
            "start_level": 3,
            "promote_tracking": 0.3,
            "by_level": {**SPEED, "terrain_amplitude": [0, 1], "randomization.slope": [0, 1]},
            "by_step": {
                "min_target_velocity": [[0, 1.25], [2e6, 0.7]],
                "out_of_trajectory_threshold": [[1e6, 0.5], [2e6, 1.0]],
                "safe_height": [[0, 0.75]],
                "device_torque_limit": [[0, 0.0], [3e6, 1.0]],
                "reward_keys_and_weights.forward_reward": [[0, 1.0], [1e6, -0.5]],
                "reward_keys_and_weights.qpos_imitation_rewards": [[0, 1.0], [1e6, 0.1]],
            },
        },
        terrain_type="random",
        terrain_params="0.05",
    )
    assert configs.from_dict(configs.to_dict(made)) == made
    assert made.env_params.curriculum.by_level["randomization.slope"] == (0.0, 1.0)


def test_the_schedule_from_imitation_to_economy_that_the_docs_print():
    """Every term of what a step costs is in it; half way between two points each weight is half way."""
    text = (ROOT / "docs" / "rewards.md").read_text()
    env = configs.from_dict(json.loads(re.search(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1])).env_params
    costs = ("metabolic_power", "device_power", "device_torque_rate", "trunk_steadiness")
    keys = {f"reward_keys_and_weights.{name}_penalty" for name in costs}
    assert keys <= env.curriculum.by_step.keys()
    now = progress.at(env.curriculum, 0.0, 5e6)
    at_end = {key: float(progress.at(env.curriculum, 0.0, 1e8)[key]) for key in keys}
    assert at_end == {key: env.reward_keys_and_weights.terms[key.partition(".")[2]] for key in keys}
    assert float(now["reward_keys_and_weights.qpos_imitation_rewards"]) == pytest.approx(0.6)
    assert float(now["reward_keys_and_weights.metabolic_power_penalty"]) == pytest.approx(0.25)
    assert float(now["reward_keys_and_weights.device_power_penalty"]) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("curriculum", "told"),
    [
        ({}, "changes nothing"),
        ({"by_level": SPEED, "levels": 1}, "curriculum.levels': must be 2 or more, got 1"),
        ({"by_level": SPEED, "levels": 4, "start_level": 4}, "start_level': must lie in 0..3 (levels - 1), got 4"),
        ({"by_level": SPEED, "start_level": -1}, "got -1"),
        ({"by_level": SPEED, "demote": 0.8}, "demote' (0.8) and 'promote' (0.8): need 0 <= demote < promote <= 1"),
        ({"by_level": SPEED, "promote": 1.2}, "'promote' (1.2)"),
        ({"by_level": SPEED, "promote_tracking": -0.1}, "promote_tracking': must be 0 or more, got -0.1"),
        ({"by_level": SPEED, "level": 3}, "Did you mean 'levels'?"),
        (
            {"by_level": SPEED, "by_step": {"max_target_velocity": [[0, 1.3]]}},
            "'max_target_velocity' is in by_level and",
        ),
        ({"by_level": {"max_target_velocity": [1.9]}}, "must be [at level 0, at the highest], got [1.9]"),
        ({"by_level": {"max_target_velocty": [1.3, 1.9]}}, "Did you mean 'max_target_velocity'?"),
        ({"by_level": {"randomization.slop": [0, 1]}}, "Did you mean 'randomization.slope'?"),
        ({"by_level": {"num_envs": [8, 16]}}, "'num_envs' is unknown"),
        ({"by_level": {"randomization.slope": [0, 1.5]}}, "by_level.randomization.slope': must lie in 0..1, got 1.5"),
        ({"by_level": {"randomization.strength": [0, 1]}}, "give 'env_params.randomization.strength' a range"),
        ({"by_level": {"randomization.device_bandwidth": [0, 1]}}, "'randomization.device_bandwidth' is unknown"),
        ({"by_level": {"terrain_amplitude": [0, 1]}}, "flat ground has no heights"),
        ({"by_step": {"out_of_trajectory_threshold": [[0, 0.0]]}}, "must be positive, got 0"),
        ({"by_step": {"safe_height": []}}, "must be [[control steps, value], ...], got []"),
        ({"by_step": {"safe_height": [[0, 1, 2]]}}, "must be [[control steps, value], ...], got [[0.0, 1.0, 2.0]]"),
        ({"by_step": {"safe_height": [[5, 0.7], [5, 0.8]]}}, "control steps must be 0 or more and increase"),
        ({"by_step": {"safe_height": [[-5, 0.7]]}}, "control steps must be 0 or more"),
        ({"by_step": {"safe_height": [[0, float("nan")]]}}, "by_step.safe_height[0][1]': must be a finite number"),
        ({"by_step": {"safe_height": [0, 0.7]}}, "by_step.safe_height[0]': expected a list, got 0"),
        (
            {"by_step": {"reward_keys_and_weights.foot_force_penalty": [[0, 1.0]]}},
            "give 'env_params.reward_keys_and_weights.foot_force_penalty' a weight",
        ),
        ({"by_step": {"reward_keys_and_weights.qvel_imitation_rewards": [[0, 1.0]]}}, "has nothing to change"),
        (
            {"by_level": {"max_heading_rate": [0, 0.5]}},
            "has nothing to change; give 'env_params.min_heading_rate' and 'max_heading_rate' the sharpest turns",
        ),
        (
            {"by_level": SPEED, "by_step": {"min_target_velocity": [[0, 1.25], [1e6, 1.5]]}},
            "at level 0 after 1,000,000 control steps min_target_velocity is 1.5 and max_target_velocity 1.25",
        ),
    ],
)
def test_a_mistake_is_told_by_key_and_value(curriculum, told):
    with pytest.raises(UserError, match=re.escape(told)) as error:
        config(curriculum)
    assert "config key" in str(error.value) and "curriculum" in str(error.value)


def test_the_limit_of_a_head_is_no_schedule_for_a_controller():
    controller = {"type": "zero_torque"}
    with pytest.raises(UserError, match="device_controller"):
        config({"by_step": {"device_torque_limit": [[0, 1.0]]}}, device_controller=controller)


def test_on_the_command_line_it_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"env_params": {**ENV, "curriculum": {"by_level": {"max_speed": [1, 2]}}}}))
    assert main(["train", str(path), "--out", str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert "'max_speed' is unknown" in told and "Traceback" not in told
