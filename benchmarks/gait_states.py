"""States that physics is timed on: the shipped policy's own gait, or random stances; the same for the full model."""

from typing import Any

import mujoco
import numpy as np

from mjx_assist.eval.replay.walker import Walker
from mjx_assist.model.reduction import ReducedModel
from mjx_assist.model.stances import stances
from mjx_assist.paths import data_path
from mjx_assist.reference.cycle import sample, stride_frequency
from mjx_assist.sim import action
from mjx_assist.sim.observation import observe
from mjx_assist.training.export import load_policy

SHIPPED = data_path("models", "policies", "walk22_exo")
SETTLED = 90  # control steps of walking until the gait is steady
States = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # qpos, qvel, act, ctrl: [n, ...]


def walking_states(reduced: ReducedModel, n: int) -> tuple[States, str]:
    """States and controls of the reduced model ``[n, ...]``, and where they come from."""
    bundle = load_policy(SHIPPED)
    if (bundle.human, bundle.device) == (reduced.human, reduced.device):
        return _gait(bundle, n), "the shipped policy walking"
    model = reduced.model
    rng = np.random.default_rng(0)
    qpos, qvel, act = stances(model, n, rng)
    ctrl = action.to_control(action.make_action_spec(model), np.full((n, model.nu), -0.9))
    return (qpos, qvel, act, ctrl), "random stances"


def _gait(bundle: Any, n: int) -> States:
    walker, params = Walker(bundle), bundle.config.env_params
    speed, phase, rows = params.min_target_velocity, 0.0, []
    qpos, qvel, _ = sample(bundle.gait, phase, speed)
    walker.reset(qpos, qvel, 0.01)
    spec = action.make_action_spec(walker.model)
    advance = float(stride_frequency(bundle.gait, speed)) / params.control_framerate
    for _ in range(SETTLED + n):
        state = walker.state()
        ctrl = action.to_control(spec, bundle.policy.act(observe(bundle.observation, state, speed, phase)))
        rows.append((state.qpos, state.qvel, state.act, ctrl))
        for _ in range(params.physics_sim_framerate // params.control_framerate):
            walker.step(ctrl)
        phase = (phase + advance) % 1.0
    return tuple(np.array(x) for x in zip(*rows[SETTLED:], strict=True))


def lifted(full: mujoco.MjModel, reduced: ReducedModel, states: States) -> States:
    """The same states for the full model, its couplings satisfied; activations and controls by actuator name."""
    qpos, qvel, act, ctrl = states
    full_act, full_ctrl = np.zeros((len(qpos), full.na)), np.zeros((len(qpos), full.nu))
    model = reduced.model
    for a in range(model.nu):
        there = full.actuator(model.actuator(a).name).id
        full_ctrl[:, there] = ctrl[:, a]
        if model.actuator_actadr[a] >= 0:
            full_act[:, full.actuator_actadr[there]] = act[:, model.actuator_actadr[a]]
    return reduced.coupling.lift(qpos), reduced.coupling.lift_velocity(qpos, qvel), full_act, full_ctrl
