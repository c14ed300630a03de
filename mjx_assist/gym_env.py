"""Gymnasium environments over the AssistEnv that trains: one walker, or a batch in one vector env.

Importing this module registers an id for each preset of configs/, e.g. ``mjx_assist/Walk22Exo-v0``.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from brax.envs.base import State
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from mjx_assist import config as configs
from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import AUTO, MUJOCO
from mjx_assist.errors import UserError
from mjx_assist.eval.view.scene import Scene, side_camera
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.model.names import actuator_names, is_muscle
from mjx_assist.model.reduction import reduce_model
from mjx_assist.paths import data_path
from mjx_assist.sim import forked
from mjx_assist.sim.env import AssistEnv, make_env

FRAME = (480, 640)  # pixels of a rendered picture: height, width


def env_params(config: str | Path, overrides: Mapping[str, Any] | None = None) -> EnvParams:
    """The env part of a preset (its name) or config file (its path), with ``{dotted.key: value}`` overrides.

    Raises:
        UserError: missing file, unknown key, a value that does not fit.
    """
    preset = data_path("configs", f"{config}.json")
    text = [(key, json.dumps(value)) for key, value in (overrides or {}).items()]
    params = configs.load(preset if preset.is_file() else config, text).env_params
    if params.cohort and params.subject is None:
        raise UserError("config key 'env_params.cohort': this env is of one person; say who: env_params.subject.")
    return params


class WalkEnv(gymnasium.Env):
    """One walker: observation ``[observation_size]``, action ``[nu]`` in [-1, 1], both float32.

    ``info`` holds each reward term and the env's other metrics of the step. ``reset(seed=s)`` repeats an episode;
    without a seed the next one of the same series begins, as in training. Backend ``auto`` is C MuJoCo here.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (Gymnasium's convention)

    def __init__(
        self,
        config: str | Path = "walk22_exo",
        overrides: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ):
        params = env_params(config, overrides)
        backend = MUJOCO if params.backend == AUTO else params.backend
        self._params = dataclasses.replace(params, backend=backend, num_envs=1, num_threads=1)
        self.render_mode = render_mode
        env = make_env(self._params)
        self.metadata = {**self.metadata, "render_fps": self._params.control_framerate}
        self.observation_space, self.action_space = _spaces(env)
        self._names = actuator_names(env.model)
        self._act_index = np.asarray(env.model.actuator_actadr)
        self._reset, self._step = jax.jit(env.reset), jax.jit(env.step)
        self._state: Any = None  # brax State, once reset
        self._picture: tuple | None = None

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        forked.check()
        super().reset(seed=seed)
        if seed is None and self._state is not None:
            key = self._state.pipeline_state.key
        else:
            key = _key(int(self.np_random.integers(2**31)) if seed is None else seed)
        self._state = self._reset(key)
        return np.array(self._state.obs), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        self._state = self._step(self._state, np.asarray(action, np.float32))
        obs, reward, terminated, truncated, metrics = _plain(self._state)
        return obs, float(reward), bool(terminated), bool(truncated), {name: float(x) for name, x in metrics.items()}

    def render(self) -> np.ndarray | None:
        """The full skeleton from the side, ``[480, 640, 3]`` uint8; muscles are red where they are active."""
        if self.render_mode is None or self._state is None:
            return None
        if self._picture is None:
            self._picture = _picture(self._params, self._names, self._act_index)
        coupling, scene, muscles, renderer = self._picture
        body = self._state.pipeline_state.physics
        scene.pose(coupling.lift(np.asarray(body.qpos, float)), np.asarray(body.act)[muscles])
        renderer.update_scene(scene.data, side_camera(scene.place))
        return renderer.render()

    def close(self) -> None:
        if self._picture is not None:
            self._picture[-1].close()
            self._picture = None


class WalkVectorEnv(VectorEnv):
    """``num_envs`` walkers in one batch, on the config's backend; arrays as in `WalkEnv`, with a leading axis.

    A walker whose episode ended is reset by the following step (Gymnasium's NEXT_STEP): that step ignores its action
    and returns the first observation of its next episode with reward 0.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self, num_envs: int = 1, config: str | Path = "walk22_exo", overrides: Mapping[str, Any] | None = None
    ):
        env = make_env(dataclasses.replace(env_params(config, overrides), num_envs=num_envs))
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = _spaces(env)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

        def step(state: State, action: jax.Array) -> State:
            after, fresh = env.step(state, action), env.reset(state.pipeline_state.key)
            return jax.tree.map(lambda new, old: jnp.where(state.done, new, old), fresh, after)

        self._reset, self._step = jax.jit(jax.vmap(env.reset)), jax.jit(jax.vmap(step))
        self._state: Any = None  # brax State, once reset

    def reset(
        self, *, seed: int | list[int] | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode in every env; an integer seed is env 0's, and the others' count on from it."""
        forked.check()
        super().reset(seed=seed if isinstance(seed, int) else None)
        if seed is None and self._state is not None:
            keys = self._state.pipeline_state.key
        else:
            if seed is None:
                seeds = self.np_random.integers(2**31, size=self.num_envs).tolist()
            else:
                seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
            keys = jnp.stack([_key(s) for s in seeds])
        self._state = self._reset(keys)
        return np.array(self._state.obs), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._state = self._step(self._state, np.asarray(actions, np.float32))
        obs, reward, terminated, truncated, metrics = _plain(self._state)
        present = np.ones(self.num_envs, bool)
        return obs, reward, terminated, truncated, {**metrics, **{f"_{name}": present for name in metrics}}


def _key(seed: int) -> jax.Array:
    return jax.random.PRNGKey(int(seed) % 2**32)


def _spaces(env: AssistEnv) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Box]:
    """Observation and action space of one walker."""
    return (
        gymnasium.spaces.Box(-np.inf, np.inf, (env.observation_size,), np.float32),
        gymnasium.spaces.Box(-1.0, 1.0, (env.action_size,), np.float32),
    )


def _plain(state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """NumPy observation, reward, terminated, truncated and metrics of a state or a batch of them."""
    host = jax.device_get((state.obs, state.reward, state.done, state.info["truncation"], state.metrics))
    obs, reward, done, truncation, metrics = host
    truncated = truncation.astype(bool)
    return np.array(obs), np.array(reward), done.astype(bool) & ~truncated, truncated, metrics


def _picture(params: EnvParams, actuators: tuple[str, ...], act_index: np.ndarray) -> tuple:
    """(coupling, scene, indices of the muscles' activations, renderer) for off-screen pictures.

    Raises:
        UserError: MuJoCo cannot render here.
    """
    reduced = reduce_model(params.human, params.device_key or NO_DEVICE)
    muscles = [i for i in range(len(actuators)) if is_muscle(reduced.model)[i]]
    scene = Scene(reduced.human, reduced.device, [actuators[i] for i in muscles])
    try:
        renderer = mujoco.Renderer(scene.model, *FRAME)
    except Exception as error:  # what MuJoCo raises depends on the OpenGL that is missing
        raise UserError(f"render_mode 'rgb_array': MuJoCo cannot render here ({error}); see MUJOCO_GL.") from None
    return reduced.coupling, scene, act_index[muscles], renderer


def _register() -> None:
    """walk22_exo.json -> mjx_assist/Walk22Exo-v0, and so on for every preset."""
    for preset in sorted(data_path("configs").glob("*.json")):
        name = "".join(word.capitalize() for word in preset.stem.split("_"))
        gymnasium.register(
            id=f"mjx_assist/{name}-v0",
            entry_point="mjx_assist.gym_env:WalkEnv",
            vector_entry_point="mjx_assist.gym_env:WalkVectorEnv",
            kwargs={"config": preset.stem},
        )


_register()
