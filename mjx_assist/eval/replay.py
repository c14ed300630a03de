"""Replay: a policy walks in CPU MuJoCo, no JAX, no termination on tracking error; yields gait records."""

from collections.abc import Callable

import numpy as np

from mjx_assist.eval.bundle import Bundle
from mjx_assist.eval.record import GaitRecord
from mjx_assist.eval.walker import Walker
from mjx_assist.sim import action, command, reference
from mjx_assist.sim.observation import observe

_RECORD_RATE = 250.0  # Hz: physics steps are recorded at most this often

OnStep = Callable[[Walker, float], bool]


def replay(
    bundle: Bundle,
    kind: str = "reduced",
    steps: int = 1000,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> GaitRecord:
    """One episode of at most ``steps`` control steps; ends early only at a fall or a state that is not finite.

    The seed draws the phase of the reference where the walk starts and the commanded speeds. ``on_step(walker, time)``
    is called after every control step and ends the episode by returning False.
    """
    walker = Walker(bundle, kind)
    params = bundle.config.env_params
    limits = command.command_range(params)
    uniform = np.random.default_rng(seed).uniform(size=command.N_LEVELS + 3)
    wish = command.draw(limits, uniform[1:])
    phase = float(uniform[0]) if params.flag_random_ref_index else 0.0
    qpos, qvel, _ = reference.sample(bundle.gait, phase, command.target_velocity(limits, wish, 0.0))
    walker.reset(qpos, qvel, action.INITIAL_ACTIVATION)
    actions = action.make_action_spec(walker.reduced)
    dt = 1.0 / params.control_framerate
    every = max(1, round(1.0 / (_RECORD_RATE * walker.model.opt.timestep)))
    samples: list[tuple] = []
    fell, physics_steps = False, 0
    for step in range(steps):
        target = float(command.target_velocity(limits, wish, step * dt))
        control = action.to_control(
            actions, bundle.policy.act(observe(bundle.observation, walker.state(), target, phase))
        )
        clock = float(reference.stride_frequency(bundle.gait, command.target_velocity(limits, wish, (step + 1) * dt)))
        while walker.data.time < (step + 1) * dt - 0.5 * walker.model.opt.timestep:
            walker.step(control)
            physics_steps += 1
            if physics_steps % every == 0:
                now = (phase + clock * (walker.data.time - step * dt)) % 1.0
                samples.append(_sample(walker, bundle, control, target, now))
        phase = (phase + clock * dt) % 1.0
        fell = not walker.finite() or walker.height() < params.safe_height
        if fell or (on_step is not None and not on_step(walker, (step + 1) * dt)):
            break
    return _record(walker, bundle, samples, fell, seed, dt)


def _sample(walker: Walker, bundle: Bundle, control: np.ndarray, target: float, phase: float) -> tuple:
    """One row of the record."""
    state = walker.state()
    moment, device_moment = walker.joint_moments()
    return (
        walker.data.time,
        phase,
        target,
        state.qpos,
        state.qvel,
        reference.sample(bundle.gait, phase, target)[0],
        walker.muscle_activation(),
        control[walker.muscle],
        walker.contact_forces()[0],
        moment,
        device_moment,
        walker.foot_positions(),
    )


def _record(walker: Walker, bundle: Bundle, samples: list[tuple], fell: bool, seed: int, dt: float) -> GaitRecord:
    columns = [np.array(column) for column in zip(*samples, strict=True)]
    names = np.array(walker.actuator_names)
    joints = walker.device_joints()
    device_moment = columns[10]
    return GaitRecord(
        time=columns[0],
        phase=columns[1],
        target_velocity=columns[2],
        qpos=columns[3],
        qvel=columns[4],
        reference_qpos=columns[5],
        activation=columns[6],
        excitation=columns[7],
        device_torque=device_moment[:, [walker.joint_names.index(j) for j in joints]],
        ground_reaction=columns[8],
        joint_moment=columns[9],
        device_moment=device_moment,
        foot_position=columns[11],
        joint_names=walker.joint_names,
        muscle_names=tuple(names[walker.muscle]),
        device_names=tuple(names[~walker.muscle]),
        device_joints=joints,
        body_mass=walker.body_mass,
        leg_length=walker.leg_length(),
        fell=fell,
        human=bundle.human,
        device=bundle.device,
        model_kind=walker.kind,
        seed=seed,
        control_dt=dt,
    )
