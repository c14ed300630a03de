"""Whether the parts of an opened policy bundle fit each other, so that a wrong one is refused before it walks."""

import dataclasses
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from mjx_assist.model.names import joint_names
from mjx_assist.model.skeleton.coupling import Coupling
from mjx_assist.policy.policy import HeadWeights, Policy
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim import sense
from mjx_assist.sim.observation import spec_of

if TYPE_CHECKING:
    from mjx_assist.policy.bundle import Bundle


def check(bundle: "Bundle", model: mujoco.MjModel) -> None:
    """Raises ``ValueError`` or ``UserError`` naming what does not fit ``model``, the bundle's reduced model."""
    env = bundle.config.env_params
    if not abs(model.opt.timestep * env.physics_sim_framerate - 1.0) < 1e-5:  # MJCF holds six digits of it
        raise ValueError(f"its model steps by {model.opt.timestep:g} s, its config asks {env.physics_sim_framerate} Hz")
    spec = spec_of(model, env)
    same_weight = abs(bundle.observation.body_weight - spec.body_weight) < 1e-3 * spec.body_weight
    same_body = np.shape(bundle.observation.body) == np.shape(spec.body) and np.allclose(
        bundle.observation.body, spec.body, rtol=1e-3
    )
    seen = dataclasses.replace(bundle.observation, body_weight=spec.body_weight, body=spec.body)
    if seen != spec or not same_weight or not same_body:
        raise ValueError("the observation is not the one that its config asks of its model")
    _check_gait(bundle.gait, joint_names(model))
    sense.check_speeds(env, bundle.gait)
    _check_coupling(bundle.coupling, model.nq)
    _check_policy(bundle.policy, spec.size, model.nu)


def _check_gait(gait: ReferenceGait, joints: tuple[str, ...]) -> None:
    if gait.joint_names != joints:
        raise ValueError("the reference is for other joints than the model's")
    table = (*gait.qpos.shape[:2], len(joints))
    if not table[0] or not table[1]:
        raise ValueError("the reference has no speeds")
    for name, shape in (
        ("speed", table[:1]),
        ("stride_frequency", table[:1]),
        ("qpos", table),
        ("dqpos", table),
        ("foot_position", (*table[:2], 2, 2)),
    ):
        _numbers(f"reference/{name}", getattr(gait, name), shape)


def _check_coupling(coupling: Coupling, size: int) -> None:
    count = len(coupling.full_joint_names)
    _indices("coupling/source", coupling.source, size)
    _numbers("coupling/source", coupling.source, (count,))
    _numbers("coupling/polycoef", coupling.polycoef, (count, coupling.polycoef.shape[-1]))


def _check_policy(policy: Policy, size: int, actuators: int) -> None:
    _numbers("normaliser/mean", policy.mean, (size,))
    _numbers("normaliser/std", policy.std, (size,))
    if not (policy.std > 0).all():
        raise ValueError("normaliser/std is not positive")
    _numbers("neutral", policy.neutral, (actuators,))
    if policy.mirror is not None:
        _numbers("mirror/sign", policy.mirror.sign, (size,))
        for name, array, count in (("index", policy.mirror.index, size), ("action", policy.mirror.action, actuators)):
            _indices(f"mirror/{name}", array, count)
            _numbers(f"mirror/{name}", array, (count,))
    names = [head.name for head in policy.heads]
    if not names or len(set(names)) < len(names):
        raise ValueError("it has no heads" if not names else f"it has a head twice: {names}")
    for head in policy.heads:
        _check_head(head, size, actuators, head.action.size)
    if policy.critic:
        _check_head(policy.critic, size, actuators, 1)


def _check_head(head: HeadWeights, size: int, actuators: int, outputs: int) -> None:
    stem = f"head/{head.name}"
    if not isinstance(head.enabled, bool) or not isinstance(head.mirrored, bool) or not head.layers:
        raise ValueError(f"{stem} is not described")
    _indices(f"{stem}/observation", head.observation, size)
    _indices(f"{stem}/action", head.action, actuators)
    width = head.observation.size
    for i, (kernel, bias) in enumerate(head.layers):
        _numbers(f"{stem}/bias_{i}", bias, (bias.size,))
        _numbers(f"{stem}/kernel_{i}", kernel, (width, bias.size))
        width = bias.size
    if width != outputs:
        raise ValueError(f"{stem} has {width} outputs for {outputs}")
    if head.log_std is not None:
        _numbers(f"{stem}/log_std", head.log_std, (outputs,))


def _numbers(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, not {shape}")
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"{name} does not hold finite numbers")


def _indices(name: str, array: np.ndarray, count: int) -> None:
    if array.ndim != 1 or array.dtype.kind not in "iu" or not ((array >= 0) & (array < count)).all():
        raise ValueError(f"{name} does not hold indices below {count}")
