"""Humans and devices other than the planar walker with an exoskeleton: they start on the ground, train, and mirror."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import mirrored
import mujoco
import numpy as np
import pytest
import train_sweep

from mjx_assist import config as configs
from mjx_assist.config.heads import HeadIndexing
from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.model import names as model_names
from mjx_assist.model.assembly import available
from mjx_assist.model.names import joint_mirror_signs, mirror
from mjx_assist.model.reduction import reduce_model
from mjx_assist.paths import data_path
from mjx_assist.reference import feet as foot_kinematics
from mjx_assist.reference import healthy
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import action, reward
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training import loop

EXO_3D = ("myolegs26", "Tutorial_L1")
LEG = ("myolegs22", "OpenSourceLeg_KA_L1")  # right knee and ankle replaced; the knee's axis points the other way
SPRING_FOOT = ("myolegs22", "KFoot_L1")  # right ankle replaced by two stacked springs, no actuator
PRESETS = {"myolegs22": "walk22_exo.json", "myolegs26": "walk26_exo.json"}
HALF = 100  # of the reference's 200 phases
B = 4


@cache
def walker(human: str, device: str):
    """(reduced model, its reference gait)."""
    reduced = reduce_model(human, device)
    return reduced, healthy.healthy_gait(reduced.model)


@cache
def compiled(human: str, device: str):
    """(reset, step) of a batch."""
    _, env = make(human, device)
    return jax.jit(jax.vmap(env.reset)), jax.jit(jax.vmap(env.step))


@cache
def make(human: str, device: str) -> tuple[configs.RunConfig, AssistEnv]:
    keys = {"msk_key": f'"{human}"', "device_key": f'"{device}"', "backend": '"mujoco"', "num_envs": str(B)}
    small = [*((f"env_params.{k}", v) for k, v in keys.items()), ("ppo_params.batch_size", "32")]
    config = configs.load(data_path("configs", PRESETS[human]), small)
    return config, AssistEnv(config.env_params, *walker(human, device))


@pytest.mark.parametrize(
    "composition", [EXO_3D, *(pytest.param(x, marks=pytest.mark.slow) for x in (LEG, SPRING_FOOT))]
)
def test_the_reference_walks_on_the_ground(composition):
    reduced, gait = walker(*composition)
    stance = np.arange(2 * HALF) < 1.1 * HALF
    for poses in gait.qpos:
        lowest = foot_kinematics.feet(reduced.model, poses).lowest
        for side in range(2):
            down = np.roll(stance, side * HALF)
            assert np.abs(lowest[down, side]).max() < 0.01
        assert lowest.min() > -0.008
    at_rest = [j for j, c in enumerate(gait.joint_names) if np.ptp(gait.qpos[..., j]) == 0]
    assert {gait.joint_names[j] for j in at_rest} <= {"pelvis_tx", *_own_joints(reduced.model)}


def _own_joints(model):
    """Joints that belong to no anatomical coordinate."""
    made = {j for c in anatomy.coordinates(model) for j in c.joints}
    return {model.joint(j).name for j in set(range(model.njnt)) - made}


@pytest.mark.parametrize("composition", [LEG, SPRING_FOOT])
def test_a_replaced_joint_walks_the_human_ones_gait(composition):
    """The prosthetic foot is pitched, lifted and swung like the other one half a cycle later, whatever its joints."""
    reduced, gait = walker(*composition)
    feet = foot_kinematics.feet(reduced.model, gait.qpos[3])
    right, left = feet.pitch[:, 0], np.roll(feet.pitch[:, 1], HALF)
    swing = np.arange(2 * HALF) > 1.3 * HALF
    assert np.corrcoef(right, left)[0, 1] > 0.9
    assert np.degrees(np.sqrt(np.mean((right - left)[swing] ** 2))) < 12
    heel = feet.heel - feet.pelvis[:, None]
    np.testing.assert_allclose(np.ptp(heel[:, 0, 0]), np.ptp(heel[:, 1, 0]), rtol=0.15)
    for joint, name in enumerate(gait.joint_names):
        low, high = reduced.model.jnt_range[joint] if reduced.model.jnt_limited[joint] else (-np.inf, np.inf)
        assert low - 0.01 <= gait.qpos[3, :, joint].min() and gait.qpos[3, :, joint].max() <= high + 0.01, name


def test_stance_feet_stay_in_place_sideways_and_the_pelvis_sways_over_them():
    reduced, gait = walker(*EXO_3D)
    lateral = foot_kinematics.feet(reduced.model, gait.qpos[3]).lateral
    flat = slice(10, 80)  # 5 to 40 % of the cycle
    assert np.ptp(lateral[flat, 0]) < 0.015 and np.ptp(np.roll(lateral[:, 1], HALF)[flat]) < 0.015
    width = np.roll(lateral[:, 1], HALF)[flat].mean() - lateral[flat, 0].mean()
    assert 0.05 < width < 0.16  # m; adults' step width is 5 to 14 cm
    assert 0.02 < np.ptp(gait.qpos[3, :, gait.joint_names.index("pelvis_tz")]) < 0.1


def test_published_curves_turn_the_pelvis_the_right_way():
    """The swing side drops in early stance, and the side that lands is forward."""
    reduced, gait = walker(*EXO_3D)
    data = mujoco.MjData(reduced.model)

    def hips(phase):
        data.qpos[:] = sample(gait, phase, 1.25)[0]
        mujoco.mj_kinematics(reduced.model, data)
        return [data.xanchor[reduced.model.joint(f"hip_flexion_{side}").id].copy() for side in "rl"]

    right, left = hips(0.16)
    assert right[2] - left[2] > 0.005
    right, left = hips(0.0)
    assert right[0] - left[0] > 0.005


@pytest.mark.parametrize("composition", [EXO_3D, LEG])
def test_episodes_run_and_stay_finite(composition):
    _, env = make(*composition)
    reset, step = compiled(*composition)
    state = reset(jax.random.split(jax.random.PRNGKey(0), B))
    assert state.obs.shape == (B, env.observation_size)
    actions = 0.3 * jax.random.normal(jax.random.PRNGKey(1), (8, B, env.action_size)) + env.action_spec.neutral
    for a in actions:
        state = step(state, a)
        for leaf in jax.tree.leaves(state):
            assert np.isfinite(np.asarray(leaf)).all()
        assert not np.asarray(state.metrics["not_finite"]).any()


@pytest.mark.parametrize("composition", [EXO_3D, LEG])
def test_the_first_step_keeps_the_walker_near_the_reference(composition):
    """With nothing driven for one control step: no kick from the ground or from a joint's limit."""
    _, env = make(*composition)
    reset, step = compiled(*composition)
    after = step(
        reset(jax.random.split(jax.random.PRNGKey(2), B)), jnp.tile(jnp.asarray(env.action_spec.neutral), (B, 1))
    )
    np.testing.assert_array_equal(after.done, 0.0)
    load = np.asarray(after.pipeline_state.physics.sensor_peak)[:, np.array(env.observation_spec.sensor_index)]
    assert load.max() / env.observation_spec.body_weight < 3.0


@pytest.mark.parametrize("composition", [EXO_3D, LEG, SPRING_FOOT])
def test_the_neutral_action_drives_nothing(composition):
    model = reduce_model(*composition).model
    spec = action.make_action_spec(model)
    data = mujoco.MjData(model)
    data.act[:] = action.initial_activation(model)
    data.ctrl[:] = action.to_control(spec, spec.neutral)
    for _ in range(24):
        mujoco.mj_step(model, data)
    np.testing.assert_array_equal(data.ctrl, 0.0)
    np.testing.assert_array_equal(data.actuator_force[~spec.muscle], 0.0)


# On the ground it matters more that the feet are not quite each other's mirror image.
@pytest.mark.parametrize(
    ("lift", "largest", "largest_speed", "phase"), [(0.25, 0.06, 1.0, 0.15), (0.0, 0.15, 1.0, 0.0)]
)
def test_a_mirrored_walker_in_3d_sees_the_mirrored_observation(lift, largest, largest_speed, phase):
    _, env = make(*EXO_3D)
    assert model_names.asymmetry(env.model) is None
    signs = joint_mirror_signs(env.model)
    mirrored.assert_sees_the_mirrored_observation(
        env.model, env.observation_spec, env.gait, signs, largest, largest_speed, lift, phase
    )


def test_the_3d_reference_is_its_own_mirror_image_half_a_cycle_later():
    reduced, gait = walker(*EXO_3D)
    index, sign = mirror(gait.joint_names, joint_mirror_signs(reduced.model))
    np.testing.assert_allclose(np.roll(gait.qpos, HALF, axis=1), gait.qpos[..., index] * sign, atol=1e-9)
    assert {n for n, s in zip(gait.joint_names, sign, strict=True) if s < 0} >= {"pelvis_tz", "pelvis_list"}


def heads(config, env):
    return {head.name for head in loop.make_policy_spec(config, env).heads}


def test_a_one_sided_device_gets_no_mirrored_network_unless_asked_for():
    config, env = make(*LEG)
    assert loop.make_policy_spec(config, env).mirror is None
    assert loop.make_policy_spec(*make(*EXO_3D)).mirror is not None
    asked = dataclasses.replace(config.policy_params, mirror_symmetric=True)
    with pytest.raises(UserError, match=r"mirror_symmetric.*'OSL_KA_L1_osl_knee_angle_r' has no partner"):
        loop.make_policy_spec(dataclasses.replace(config, policy_params=asked), env)


def test_a_passive_device_has_no_head():
    assert heads(*make(*LEG)) == {"human_actor", "exo_actor"}
    assert heads(*make(*SPRING_FOOT)) == {"human_actor"}


def test_a_head_that_names_what_an_amputation_took_says_so():
    config, env = make(*SPRING_FOOT)
    wiring = dict(config.policy_params.net_indexing_info, human_actor=HeadIndexing(action=("soleus_r",)))
    with pytest.raises(UserError, match="soleus_l"):
        policy = dataclasses.replace(config.policy_params, net_indexing_info=wiring)
        loop.make_policy_spec(dataclasses.replace(config, policy_params=policy), env)


def test_joint_patterns_need_one_match():
    _, env = make(*LEG)
    weights = configs.RewardWeights(pose_tracking_rewards={"*mtp_angle_?": 0.2, "*knee_angle_?": 1.0})
    assert reward.joint_weights(weights, "pose_tracking_rewards", env.joints) == {
        "mtp_angle_l": 0.2,
        "OSL_KA_L1_osl_knee_angle_r": 1.0,
        "knee_angle_l": 1.0,
    }
    with pytest.raises(UserError, match="OSL_KA_L1_osl_knee_angle_r"):
        missing = configs.RewardWeights(pose_tracking_rewards={"knee_angle_r": 0.2})
        reward.make_reward(missing, env.joints)


@pytest.mark.slow
@pytest.mark.parametrize(("human", "device"), [(h, d) for h in PRESETS for d in available()[h]])
def test_every_composition_trains_without_a_non_finite_state(human, device, tmp_path):
    row = train_sweep.sweep(human, device, 50_000, tmp_path, full=False)
    assert row["train"] == "ok" and row["not_finite"] == 0 and row["steps"] >= 50_000
    assert row["evaluate"] == "ok"
