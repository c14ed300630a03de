"""The Gymnasium envs: Gymnasium's own checker and vectorisation, and the env that trains, say what they must do."""

import subprocess
import sys
import warnings

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from mjx_assist import gym_env
from mjx_assist.errors import UserError
from mjx_assist.eval.view.strip import _gl_backends
from mjx_assist.paths import data_path
from mjx_assist.sim.env import make_env

ID = "mjx_assist/Walk22Exo-v0"
SHORT = {"env_params.custom_max_episode_steps": 3}
STEPS = 9
RENDER = """
import gymnasium, numpy, mjx_assist.gym_env
env = gymnasium.make("mjx_assist/Walk22Exo-v0", render_mode="rgb_array")
env.reset(seed=0)
frame = env.render()
env.close()
print(frame.dtype, *frame.shape, float(frame.std()))
"""


@pytest.fixture(scope="module")
def env():
    return gymnasium.make(ID)


@pytest.fixture
def actions(env):
    return np.random.default_rng(0).uniform(-1.0, 0.0, (STEPS, *env.action_space.shape)).astype(np.float32)


def test_every_preset_has_an_id():
    presets = {path.stem for path in data_path("configs").glob("*.json")}
    specs = {spec.kwargs["config"]: id for id, spec in gymnasium.registry.items() if id.startswith("mjx_assist/")}
    assert presets == set(specs)
    assert specs["walk22_exo"] == ID
    assert "mjx_assist/Walk26Exo-v0" in gymnasium.registry and "mjx_assist/Walk22Prosthesis-v0" in gymnasium.registry


def test_gymnasiums_checker_finds_nothing_but_unbounded_observations(env):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env.unwrapped, skip_render_check=True)
    said = [str(w.message) for w in caught if "gymnasium" in w.filename]
    assert all("infinity" in text for text in said), said


def test_spaces_are_float32_and_actions_lie_within_one(env):
    assert env.observation_space.dtype == env.action_space.dtype == np.float32
    assert (env.action_space.low == -1.0).all() and (env.action_space.high == 1.0).all()


def test_it_is_the_env_that_trains(env, actions):
    jax_env = make_env(gym_env.env_params("walk22_exo", {"env_params.backend": "mujoco"}))
    state = jax.jit(jax_env.reset)(jax.random.PRNGKey(5))
    obs, _ = env.reset(seed=5)
    np.testing.assert_allclose(obs, state.obs, rtol=1e-5, atol=1e-6)
    step = jax.jit(jax_env.step)
    for action in actions:
        state = step(state, action)
        obs, reward, terminated, truncated, info = env.step(action)
        np.testing.assert_allclose(obs, state.obs, rtol=1e-4, atol=1e-5)
        assert reward == pytest.approx(float(state.reward), abs=1e-5)
        assert (terminated or truncated) == bool(state.done)
        assert info == pytest.approx({name: float(x) for name, x in state.metrics.items()}, abs=1e-4)
        if terminated:
            return


def test_a_seed_repeats_and_the_next_episode_differs(env):
    first, _ = env.reset(seed=3)
    second, _ = env.reset()
    again, _ = env.reset(seed=3)
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    np.testing.assert_array_equal(second, env.reset()[0])


def test_time_runs_out_as_truncation():
    env = gym_env.WalkEnv(overrides=SHORT)
    env.reset(seed=0)
    quiet = np.full(env.action_space.shape, -0.95, np.float32)
    ends = [env.step(quiet)[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]


def test_vector_env_does_what_gymnasiums_own_vector_of_single_envs_does(actions):
    """Seeds, episodes that end and begin again, rewards: against SyncVectorEnv, whose default is NEXT_STEP."""
    n = 2
    ours = gymnasium.make_vec(
        ID, num_envs=n, vectorization_mode="vector_entry_point", overrides={**SHORT, "env_params.backend": "mujoco"}
    )
    theirs = SyncVectorEnv([lambda: gym_env.WalkEnv(overrides=SHORT)] * n)
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    np.testing.assert_allclose(ours.reset(seed=11)[0], theirs.reset(seed=11)[0], rtol=1e-5, atol=1e-6)
    ended = 0
    for action in actions:
        batch = np.stack([action] * n) * np.linspace(0.5, 1.0, n, dtype=np.float32)[:, None]
        ours_step, theirs_step = ours.step(batch), theirs.step(batch)
        for mine, other in zip(ours_step[:4], theirs_step[:4], strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
        assert ours_step[0].dtype == np.float32
        ended += int((ours_step[2] | ours_step[3]).sum())
    assert ended >= 2 * n, "no episode ended and began again: little is proved"


def test_mistakes_name_what_is_wrong():
    with pytest.raises(UserError, match=r"nowhere\.json"):
        gym_env.WalkEnv(config="nowhere.json")
    with pytest.raises(UserError, match=r"safe_heigth.*safe_height"):
        gym_env.env_params("walk22_exo", {"env_params.safe_heigth": 0.6})


@pytest.mark.slow
def test_rgb_array_shows_a_picture(monkeypatch):
    for backend in _gl_backends():
        if backend:
            monkeypatch.setenv("MUJOCO_GL", backend)
        done = subprocess.run([sys.executable, "-c", RENDER], capture_output=True, text=True, timeout=300)
        if done.returncode == 0:
            dtype, *shape, spread = done.stdout.split()
            assert (dtype, shape) == ("uint8", ["480", "640", "3"])
            assert float(spread) > 5.0
            return
    assert "UserError" in done.stderr or "MUJOCO_GL" in done.stderr or done.returncode < 0
    pytest.skip("nothing here can render")


@pytest.mark.slow  # two processes that each start JAX
def test_single_env_runs_in_subprocesses():
    envs = gymnasium.make_vec(ID, num_envs=2, vectorization_mode="async", vector_kwargs={"context": "spawn"})
    obs, _ = envs.reset(seed=0)
    after = envs.step(np.full(envs.action_space.shape, -0.95, np.float32))
    envs.close()
    assert obs.shape == after[0].shape == envs.observation_space.shape
    assert np.isfinite(after[1]).all()
