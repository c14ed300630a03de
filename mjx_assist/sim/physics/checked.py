"""The physics of a user's own model, once its backend has been seen to move it as C MuJoCo does."""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from mjx_assist.config.words import COMPILED, MJX, MUJOCO, WARP
from mjx_assist.errors import UserError
from mjx_assist.model import mjcf
from mjx_assist.model.own.file import is_path
from mjx_assist.model.stances import stances
from mjx_assist.sim.physics.base import Physics
from mjx_assist.sim.physics.make import MAKERS, make_physics, resolve_backend

STATES = 400
ALLOWED = 0.05  # of the RMS change of a joint's speed in a step; models that a backend knows differ by 1e-5
_LIFT = 1.0  # m over the ground: contacts are for the backends' own tests
_ACTIVE = 0.5  # activations are uniform from 0 to this


def checked_physics(human: str, backend: str, xml: str, n_substeps: int, num_envs: int, num_threads: int) -> Physics:
    """`make_physics`; a model from a file is tried first where another program than MuJoCo's own moves it.

    Raises:
        UserError: as `make_physics`, or the backend moves the model in another way.
    """
    name = resolve_backend(backend)
    if is_path(human) and name in (MJX, WARP):
        worst, joint = disagreement(name, xml)
        if not worst <= ALLOWED:
            raise UserError(
                f"backend {name!r} does not move {human!r} as MuJoCo does: in one of {STATES} random poses the "
                f"speed of joint {joint!r} is off by {worst:.0%} of what a step changes it.{_suspects(mjcf.load(xml))} "
                f"Choose {MUJOCO!r} or {COMPILED!r} as env_params.backend."
            )
    return make_physics(backend, xml, n_substeps, num_envs, num_threads)


def disagreement(backend: str, xml: str) -> tuple[float, str]:
    """How far joint speeds after one physics step are from C MuJoCo's at worst, relative, and of which joint."""
    model = mjcf.load(xml)
    qpos, qvel, act = _states(model)
    right, data = np.zeros_like(qvel), mujoco.MjData(model)
    for n in range(STATES):
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:], data.act[:] = qpos[n], qvel[n], act[n]
        mujoco.mj_step(model, data)
        right[n] = data.qvel
    physics = MAKERS[backend](xml, 1, STATES, 1)
    start = jax.vmap(physics.start)(*(jnp.asarray(x, jnp.float32) for x in (qpos, qvel, act)))
    found = jax.jit(jax.vmap(physics.step))(start, jnp.zeros((STATES, model.nu)))
    change = np.maximum(np.sqrt(((right - qvel) ** 2).mean(0)), 1e-9)
    off = np.nan_to_num(np.abs(np.asarray(found.qvel) - right) / change, nan=np.inf).max(0)
    return float(off.max()), model.joint(int(off.argmax())).name


def _states(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random poses of all that the joints' limits allow, in the air; speeds and activations."""
    rng = np.random.default_rng(0)
    qpos, qvel, act = stances(model, STATES, rng)
    low, high = model.jnt_range[model.jnt_limited.astype(bool)].T
    qpos[:, model.jnt_limited.astype(bool)] = rng.uniform(low, high, (STATES, low.size))
    qpos[:, model.joint("pelvis_ty").qposadr[0]] += _LIFT
    return qpos, qvel, rng.uniform(0.0, _ACTIVE, act.shape)


def _suspects(model: mujoco.MjModel) -> str:
    """Tendons that pass inside of what they wrap around, which MJX computes in another way."""
    found = []
    for tendon in range(model.ntendon):
        for w in range(model.tendon_adr[tendon], model.tendon_adr[tendon] + model.tendon_num[tendon]):
            geom, side = int(model.wrap_objid[w]), round(float(model.wrap_prm[w]))
            wraps = model.wrap_type[w] in (mujoco.mjtWrap.mjWRAP_SPHERE, mujoco.mjtWrap.mjWRAP_CYLINDER)
            if wraps and side >= 0 and _inside(model, geom, side):
                found.append(repr(model.tendon(tendon).name))
    return f" Tendons whose side site is inside the surface that they wrap: {', '.join(found)}." if found else ""


def _inside(model: mujoco.MjModel, geom: int, site: int) -> bool:
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
    away = turn.reshape(3, 3).T @ (model.site_pos[site] - model.geom_pos[geom])
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CYLINDER:
        away = away[:2]
    return bool(np.linalg.norm(away) < model.geom_size[geom, 0])
