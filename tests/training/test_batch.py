"""A cohort in one batch: each walker is who it is said to be, and moves as C MuJoCo moves that person's own model."""

import dataclasses
import json

import jax
import mujoco
import numpy as np
import pytest
import small_runs

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.config.read import from_dict
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.person import being
from mjx_assist.model.reduction import reduce_model
from mjx_assist.sim import action as actions
from mjx_assist.sim.env import make_env
from mjx_assist.training.batch import batched
from mjx_assist.training.export import load_policy

COHORT = {"small": {"height": 1.5, "mass": 50}, "tall": {"height": 2.0, "mass": 110}}
WALKERS = 4


def config(backend="mujoco", **more):
    env = {"device_key": None, "cohort": COHORT, "num_envs": WALKERS, "backend": backend, "physics_sim_framerate": 480}
    return from_dict({"env_params": {**env, **more}, "ppo_params": {"batch_size": 64}})


def c_mujoco(subject, state, control):
    """qpos after one control step of C MuJoCo on a person's own model, from the state [1 walker] of an env."""
    human = dataclasses.replace(config().env_params, subject=subject).human
    spec = mujoco.MjSpec.from_string(reduce_model(human, "none").xml)
    spec.option.timestep = 1 / 480
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] = state.qpos, state.qvel, state.act, control
    mujoco.mj_step(model, data, nstep=16)
    return data.qpos.copy(), float(model.body_subtreemass[0])


@pytest.mark.parametrize("backend", ["mujoco", pytest.param("compiled", marks=pytest.mark.slow)])
def test_everybody_moves_as_their_own_scaled_model_does(backend, quick_gait):
    asked = config(backend).env_params
    env = make_env(asked)
    walkers = batched(env)
    before = jax.jit(walkers.reset)(jax.random.split(jax.random.PRNGKey(3), WALKERS))
    action = np.random.default_rng(0).uniform(-1, 1, (WALKERS, env.action_size)).astype(np.float32)
    after, seen = jax.jit(walkers.step)(before, action)
    control = actions.to_control(env.action_spec, action)
    masses = []
    for i, subject in enumerate(s for s in asked.cohort.values() for _ in range(WALKERS // 2)):
        start = jax.tree.map(lambda x, i=i: np.asarray(x[i]), before.pipeline_state.physics)
        qpos, mass = c_mujoco(subject, start, control[i])
        moved = np.abs(qpos - start.qpos).max()
        assert moved > 0.05 and not after.done[i]
        np.testing.assert_allclose(after.pipeline_state.physics.qpos[i], qpos, atol=2e-3 * moved)
        masses.append(mass)
    names = [f"body.{name}" for name in ("height_m", "mass_kg", "strength")]
    assert list(env.observation_spec.names[-3:]) == names
    np.testing.assert_allclose(seen[:, -3], [1.5, 1.5, 2.0, 2.0], rtol=1e-5)
    np.testing.assert_allclose(seen[:, -2], masses, rtol=1e-5)


@pytest.mark.slow
def test_a_cohorts_policy_walks_as_each_of_them_and_as_others(tmp_path, quick_gait, capsys):
    (tmp_path / "cohort.json").write_text(json.dumps({"subjects": COHORT}))
    words = ["train", "walk22_none", "--env_params.cohort", str(tmp_path / "cohort.json"), "--out", str(tmp_path)]
    assert main([*words, "--name", "run", *small_runs.flags(2)]) == 0
    policy = load_policy(tmp_path / "run")
    assert policy.human == "myolegs22" and policy.observation.body[0] == pytest.approx(1.667, abs=1e-3)
    tall = being(policy, "tall")
    assert tall.human == "myolegs22@subject=height:2,mass:110"
    assert tall.observation.body[:2] == pytest.approx((2.0, 110.0))
    (tmp_path / "her.json").write_text(json.dumps({"height": 1.45, "mass": 55}))
    words = ["evaluate", str(tmp_path / "run"), "--episodes", "1", "--json", str(tmp_path / "figures.json")]
    assert main([*words, "--subject", str(tmp_path / "her.json")]) == 0
    assert "a height of 1.45 m is beyond the cohort's, 1.5 to 2 m" in capsys.readouterr().err
    assert "height:1.45" in (tmp_path / "figures.json").read_text()
    assert main([*words, "--subject", "tal"]) == 2
    assert "Did you mean 'tall'" in capsys.readouterr().err


def test_a_policy_of_one_body_walks_as_nobody_else(untrained_bundle):
    with pytest.raises(UserError, match="trained for one body"):
        being(untrained_bundle, "tall")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"num_envs": 5}, "must be a multiple of its 2 people, as many walkers of each; such as 4"),
        ({"cohort": {"a": {"height": 3}}}, "cohort.a.height': must lie in 1.2..2.2 m"),
        ({"cohort": {"a": {"height": 1.5, "mass": 180}}}, "cohort.a': 180 kg at 1.5 m is a body mass index of 80"),
        ({"cohort": {"a": {"hight": 1.5}}}, "Did you mean 'height'"),
        ({"cohort": "nobody.json"}, "config key 'env_params.cohort': there is no file 'nobody.json'"),
        ({"msk_key": None, "model_path": "own.xml"}, "people are made of assist_sim's humans"),
    ],
)
def test_what_no_cohort_can_be_is_told(more, told):
    with pytest.raises(UserError) as error:
        config(**more)
    assert told in str(error.value)


def test_a_cohort_comes_from_its_file(tmp_path):
    (tmp_path / "people.csv").write_text("name,height,mass\nAnn,1.6,55\nBob,1.85,82\n")
    (tmp_path / "run.json").write_text(json.dumps({"env_params": {"cohort": "people.csv"}}))
    asked = configs.load(tmp_path / "run.json")
    assert [s.height for s in asked.env_params.cohort.values()] == [1.6, 1.85]
    assert from_dict(configs.to_dict(asked)) == asked
