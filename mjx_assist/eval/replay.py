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
    samples: list[dict] = []
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


def _sample(walker: Walker, bundle: Bundle, control: np.ndarray, target: float, phase: float) -> dict:
    """One row of the record by field."""
    state = walker.state()
    moment, device_moment = walker.joint_moments()
    contact = walker.ground_contact()
    length, velocity, tension, active = walker.muscles()
    com, com_velocity = walker.center_of_mass()
    return {
        "time": walker.data.time,
        "phase": phase,
        "target_velocity": target,
        "qpos": state.qpos,
        "qvel": state.qvel,
        "reference_qpos": reference.sample(bundle.gait, phase, target)[0],
        "activation": walker.muscle_activation(),
        "excitation": control[walker.muscle],
        "muscle_length": length,
        "muscle_velocity": velocity,
        "muscle_force": tension,
        "muscle_active_force": active,
        "ground_reaction": contact.force,
        "center_of_pressure": contact.center_of_pressure,
        "free_moment": contact.free_moment,
        "joint_moment": moment,
        "device_moment": device_moment,
        "passive_moment": walker.passive_moments(),
        "foot_position": walker.foot_positions(),
        "toe_position": walker.toe_positions(),
        "com_position": com,
        "com_velocity": com_velocity,
        "sensors": state.sensordata,
    }


def _record(walker: Walker, bundle: Bundle, samples: list[dict], fell: bool, seed: int, dt: float) -> GaitRecord:
    columns = {name: np.array([row[name] for row in samples]) for name in samples[0]}
    names = np.array(walker.actuator_names)
    joints = walker.device_joints()
    driven = [walker.joint_names.index(joint) for joint in joints]
    return GaitRecord(
        **columns,
        **walker.muscle_parameters,
        device_torque=columns["device_moment"][:, driven],
        joint_names=walker.joint_names,
        muscle_names=tuple(names[walker.muscle]),
        device_names=tuple(names[~walker.muscle]),
        device_joints=joints,
        sensor_names=walker.sensor_names,
        body_mass=walker.body_mass,
        leg_length=walker.leg_length(),
        fell=fell,
        human=bundle.human,
        device=bundle.device,
        model_kind=walker.kind,
        seed=seed,
        control_dt=dt,
    )
