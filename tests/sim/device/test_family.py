"""A family of devices: its torque against closed forms, drawn and seen alike in training and replay."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.config.family import DeviceFamily
from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.eval.replay.design import read, wearing
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.sim.device import curves, family
from mjx_assist.sim.device.controller import Felt
from mjx_assist.sim.env import AssistEnv
from mjx_assist.sim.observation import spec_of

FAMILY = DeviceFamily(
    peak_torque=(-0.9, 0.0),
    peak_time_percent=(42.0, 56.0),
    rise_time_percent=(15.0, 40.0),
    fall_time_percent=(5.0, 20.0),
    stiffness_nm_per_rad=(0.0, 300.0),
    rest_angle_rad=-0.05,
    foot_mass_kg=(0.0, 2.0),
    delay_s=(0.0, 0.05),
)
MASS = 80.0
N = len(FAMILY.free)


def felt(design, **more):
    """Both legs at 101 instants of the cycle."""
    percent = np.linspace(0.0, 100.0, 101)
    made = {"walks": np.ones(101, bool), "stance": percent < 62, "angle": np.zeros(101), "velocity": np.zeros(101)}
    return Felt(percent, **{**made, **more}, design=design)


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
@pytest.mark.parametrize("seed", range(3))
def test_the_torque_is_the_published_profile_and_the_clutched_spring(xp, seed):
    """Against the two cubics of Zhang et al. 2017 as polynomials, and -k (q - q0) of a spring that only pulls."""
    rng = np.random.default_rng(seed)
    design = family.design_of(FAMILY, xp.asarray(rng.uniform(size=N)), xp)
    angle = rng.uniform(-0.3, 0.3, 101)
    given = felt(design, angle=angle)
    d = {name: float(value) for name, value in design.items()}
    curve = curves.four_parameter(
        d["peak_torque"], d["peak_time_percent"], d["rise_time_percent"], d["fall_time_percent"]
    )
    spring = np.where(given.stance & (angle > -0.05), -d["stiffness_nm_per_rad"] * (angle + 0.05), 0.0)
    expected = MASS * curves.evaluate(curve, given.percent) + spring
    np.testing.assert_allclose(family.torque(FAMILY, MASS)(given, xp), expected, atol=1e-9 if xp is np else 2e-3)


def test_limits_of_torque_and_power_hold():
    limited = dataclasses.replace(FAMILY, torque_limit_nm=20.0, power_limit_w=(30.0, 60.0))
    design = family.design_of(limited, np.ones(N + 1) * 0.2)
    given = felt(design, angle=np.full(101, 0.3), velocity=np.linspace(-8, 8, 101))
    torque = family.torque(limited, MASS)(given, np)
    assert np.abs(torque).max() == pytest.approx(20.0)
    assert np.abs(torque * given.velocity).max() == pytest.approx(30.0 + 0.2 * 30.0)


def test_a_design_of_zeros_gives_exactly_no_torque():
    nothing = {"peak_torque": 0.0, "stiffness_nm_per_rad": 0.0}
    design = family.design_of(dataclasses.replace(FAMILY, design=nothing), np.full(N, 0.7))
    moving = {"angle": np.full(101, 0.4), "velocity": np.full(101, 3.0)}
    assert (family.torque(FAMILY, MASS)(felt(design, **moving), np) == 0).all()


@pytest.mark.parametrize("backend", ["mujoco", pytest.param("compiled", marks=pytest.mark.slow)])
def test_env_and_replay_draw_see_and_wear_alike(backend, reduced, gait):
    """From the same numbers: the same design, seen as the same numbers, carried with the same mass."""
    params = EnvParams(backend=backend, num_envs=3, device_family=FAMILY, out_of_trajectory_threshold=100.0)
    env = AssistEnv(dataclasses.replace(params, safe_height=-10.0), reduced, gait)
    uniform = np.random.default_rng(0).uniform(size=(3, N)).astype(np.float32)
    state = jax.vmap(lambda key, u: env.start(key, {"design": u}))(jax.random.split(jax.random.PRNGKey(1), 3), uniform)
    walker = state.pipeline_state
    seen = [name for name in env.observation_spec.names if name.startswith("design.")]
    assert seen == [f"design.{name}" for name in FAMILY.free]
    np.testing.assert_allclose(state.obs[:, -N:], 2 * uniform - 1, atol=1e-5)
    foot = env.model.joint("ankle_angle_l").bodyid[0]
    added = (walker.episode.variation.mass[:, foot] - 1) * env.model.body_mass[foot]
    np.testing.assert_allclose(added, 2.0 * uniform[:, FAMILY.free.index("foot_mass_kg")], atol=1e-5)
    step, neutral = jax.jit(jax.vmap(env.step)), jnp.tile(jnp.asarray(env.action_spec.neutral), (3, 1))
    in_numpy = [env.controller.start(design=env.rules.design({"design": u.astype(float)})) for u in uniform]
    drive = jax.jit(jax.vmap(lambda c, b: env.controller.drive(c, b, neutral[0], jnp)[1]))
    for _ in range(12):
        before = jax.device_get(state.pipeline_state)
        in_jax = drive(before.device, before.physics)
        for i in range(3):
            body = jax.tree.map(lambda x, i=i: np.asarray(x[i], float), before.physics)
            in_numpy[i], control = env.controller.drive(in_numpy[i], body, np.asarray(neutral[0]))
            np.testing.assert_allclose(in_jax[i], control, atol=2e-3)
        state = step(state, neutral)


@pytest.fixture
def bundle(untrained_bundle, reduced):
    """An untrained policy for the family: what it sees of the design has random weights."""
    env = dataclasses.replace(untrained_bundle.config.env_params, device_family=FAMILY)
    spec, policy = spec_of(reduced.model, env), untrained_bundle.policy
    rng = np.random.default_rng(5)
    heads = []
    for head in policy.heads:
        (kernel, bias), *rest = head.layers
        more = rng.normal(0, 0.3, (N, kernel.shape[1])).astype(np.float32)
        layers = ((np.concatenate([kernel, more]), bias), *rest)
        on = head.name == "human_actor"
        heads.append(dataclasses.replace(head, observation=np.arange(spec.size), layers=layers, enabled=on))
    mirror = policy.mirror
    index = np.concatenate([mirror.index, np.arange(spec.size - N, spec.size)])
    mirror = dataclasses.replace(mirror, index=index, sign=np.concatenate([mirror.sign, np.ones(N, np.float32)]))
    ends = {"mean": np.zeros(spec.size, np.float32), "std": np.ones(spec.size, np.float32)}
    policy = dataclasses.replace(policy, heads=tuple(heads), mirror=mirror, **ends)
    config = dataclasses.replace(untrained_bundle.config, env_params=env)
    return dataclasses.replace(untrained_bundle, config=config, observation=spec, policy=policy)


def test_a_seed_draws_the_design_and_design_chooses_one(bundle, tmp_path):
    drawn = [Walk(bundle, seed=seed).design for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] and drawn[0] != drawn[2]
    one = wearing(bundle, read("peak_torque=-0.5,foot_mass_kg=1,delay_s=0"))
    walk = Walk(one, seed=3)
    assert walk.design["peak_torque"] == -0.5 and walk.design["peak_time_percent"] == pytest.approx(49.0)
    bare = wearing(bundle, {**one.config.env_params.device_family.design, "foot_mass_kg": 0.0})
    records = [replay(b, steps=8, seed=3) for b in (one, bare)]
    assert records[0].body_mass - records[1].body_mass == pytest.approx(2.0, abs=1e-9)
    assert records[0].device_mass - records[1].device_mass == pytest.approx(2.0, abs=1e-9)
    assert records[0].controller == "device_family"


def test_no_device_of_the_family_is_no_torque_in_replay(bundle):
    off = wearing(bundle, {"peak_torque": 0.0, "stiffness_nm_per_rad": 0.0})
    assert (replay(off, steps=10, seed=1).device_torque == 0).all()
    on = wearing(bundle, {"peak_torque": 0.0, "stiffness_nm_per_rad": 300.0})
    assert np.abs(replay(on, steps=10, seed=1).device_torque).max() > 1.0


def test_what_is_no_design_is_told(bundle, untrained_bundle):
    for text, told in [
        ("peak=-0.5", "Did you mean 'peak_torque'"),
        ("peak_torque=hard", "NAME=NUMBER"),
        ("peak_torque=0.5", "Did you mean -0.5? Plantarflexion is negative."),
        ("rest_angle_rad=0", "free parameter of the family: 'rest_angle_rad' is unknown"),
    ]:
        with pytest.raises(UserError) as error:
            wearing(bundle, read(text))
        assert told in str(error.value)
    with pytest.raises(UserError, match="not trained for a family"):
        wearing(untrained_bundle, {"peak_torque": -0.5})
    with pytest.raises(UserError, match="choose one of them with --design"):
        with_controller(bundle, "zero_torque")
