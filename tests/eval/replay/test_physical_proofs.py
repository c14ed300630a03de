"""The shipped policy's walk obeys mechanics: momentum, inverse dynamics, energy, centre of pressure, muscle forces.

MuJoCo finds forces when a step begins and holds them through it: what is integrated is exact to first order in it."""

import copy
import dataclasses

import mujoco
import numpy as np
import pytest

from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.model.names import GRAVITY
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles

SECONDS = {"reduced": 1.6, "full": 0.7}  # one and a half, and half a stride
LEG_JOINTS = [f"{joint}_{side}" for joint in ("hip_flexion", "knee_angle", "ankle_angle") for side in "rl"]


@dataclasses.dataclass
class Walked:
    """A recorded walk; of each step the model's own state, velocity after it, acceleration and forces ``[nv]``."""

    session: Walk
    record: GaitRecord
    step: float
    steps: list[dict]

    def stack(self, name):
        return np.array([row[name] for row in self.steps])


def walk(kind, step=None):
    """SECONDS of the shipped policy with every physics step on the tape."""
    session = Walk(bundles.load(data_path("models", "policies", "walk22_exo")), kind, seed=0)
    model, data = session.walker.model, session.walker.data
    model.opt.timestep = step or model.opt.timestep
    session._every = 1
    tape, steps, simulate = Tape(session.walker), [], session.walker.step

    def observed(control):
        before = {"qpos": data.qpos.copy(), "qvel": data.qvel.copy()}
        simulate(control)
        ground = contact_rows(model, data)
        steps.append(
            {
                **before,
                "qvel_after": data.qvel.copy(),
                "qacc": data.qacc.copy(),
                "actuator": data.qfrc_actuator.copy(),
                "passive": data.qfrc_passive + data.qfrc_constraint - sum((j.T @ f for _, _, f, j in ground)),
                "ground": ground,
            }
        )

    session.walker.step = observed
    while session.time < SECONDS[kind]:
        assert session.step(tape)
    return Walked(session, session.record(tape), model.opt.timestep, steps)


def contact_rows(model, data):
    """(body, point, force on it, Jacobian of the point [3, nv]) of each ground contact, by mj_contactForce."""
    rows, wrench = [], np.zeros(6)
    for i, contact in enumerate(data.contact):
        if contact.efc_address < 0:
            continue
        mujoco.mj_contactForce(model, data, i, wrench)
        first, second = model.geom_bodyid[contact.geom1], model.geom_bodyid[contact.geom2]
        body, sign = (second, 1.0) if first == 0 else (first, -1.0)
        jacobian = np.zeros((3, model.nv))
        mujoco.mj_jac(model, data, jacobian, None, contact.pos, body)
        rows.append((body, contact.pos.copy(), sign * contact.frame.reshape(3, 3).T @ wrench[:3], jacobian))
    return rows


@pytest.fixture(scope="module")
def walks():
    return {kind: walk(kind) for kind in SECONDS}


@pytest.mark.parametrize("kind, tolerance", [("reduced", 2e-3), ("full", 2e-4)])
def test_ground_reaction_is_mass_times_acceleration_plus_gravity(walks, kind, tolerance):
    """m dv = integral of (F - m g), from the record alone; steps of 4.2 and 0.5 ms, a factor of eight."""
    record, step = walks[kind].record, walks[kind].step
    force = record.ground_reaction.sum(axis=1) - [0, 0, record.body_mass * GRAVITY]
    momentum = record.body_mass * (record.com_velocity[1:] - record.com_velocity[0])
    error = np.abs(momentum - np.cumsum(force * step, axis=0)[:-1])
    weight = record.body_mass * GRAVITY * record.time[-1]
    assert np.ptp(momentum[:, 2]) > 0.01 * weight  # it does walk
    assert error.max() < tolerance * weight
    moved = np.diff(record.com_position, axis=0) / step  # and velocity is the change of position
    assert np.abs(moved - record.com_velocity[:-1])[:, [0, 2]].max() < 20 * step  # by its acceleration, m/s^2


def inverse_dynamics(walk, acceleration):
    """[T, J] moments that make the model move so, less what the recorded ground reaction gives; MuJoCo's mj_inverse.

    The ground acts on the heel body: the force at the centre of pressure and the free moment.
    """
    session, record = walk.session, walk.record
    model = copy.copy(session.walker.model)
    off = mujoco.mjtDisableBit
    model.opt.disableflags |= int(off.mjDSBL_CONSTRAINT | off.mjDSBL_SPRING | off.mjDSBL_DAMPER | off.mjDSBL_ACTUATION)
    data = mujoco.MjData(model)
    feet = [model.site_bodyid[model.sensor(f"{side}_foot").objid[0]] for side in "rl"]
    force, turn = np.zeros((2, 3, model.nv))
    out = np.zeros((len(walk.steps), model.nv))
    for i, row in enumerate(walk.steps):
        data.qpos[:], data.qvel[:], data.qacc[:] = row["qpos"], row["qvel"], acceleration[i]
        mujoco.mj_inverse(model, data)
        out[i] = data.qfrc_inverse
        for foot in range(2):
            if np.isfinite(record.center_of_pressure[i, foot, 0]):
                mujoco.mj_jac(model, data, force, turn, record.center_of_pressure[i, foot], feet[foot])
                out[i] -= force.T @ record.ground_reaction[i, foot] + turn[2] * record.free_moment[i, foot]
    return session.walker.to_reduced(record.qpos, out)


def relative_error(record, moments):
    """[T, 6] of hips, knees and ankles over each one's peak; and the largest residual at the pelvis over the peaks'."""
    columns = [record.joint_names.index(joint) for joint in LEG_JOINTS]
    have = record.net_moment
    error, peak = np.abs(moments - have), np.abs(have).max(axis=0)
    return error[:, columns] / peak[columns], error[:, :3].max() / peak.max()


@pytest.mark.parametrize("kind", SECONDS)
def test_recorded_moments_are_inverse_dynamics_of_ground_reaction_and_motion(walks, kind):
    """Muscles, device and passive moments against mj_inverse with force, centre of pressure and free moment applied.

    The toes' own moment needs the load's split between heel and toes, which a force plate does not see either.
    """
    error, pelvis = relative_error(walks[kind].record, inverse_dynamics(walks[kind], walks[kind].stack("qacc")))
    assert error.max() < 1e-4
    assert pelvis < 1e-4


def test_moments_of_the_full_model_are_inverse_dynamics_of_the_kinematics_alone(walks):
    """Accelerations by differences of the velocities, as from motion capture: within 1 % of each joint's peak."""
    full = walks["full"]
    error, pelvis = relative_error(
        full.record, inverse_dynamics(full, (full.stack("qvel_after") - full.stack("qvel")) / full.step)
    )
    assert error.max() < 0.01
    assert pelvis < 0.01


@pytest.mark.slow
def test_moments_of_the_reduced_model_approach_the_kinematics_with_the_step(walks):
    """An implicit step of 4 ms lets muscles give way within the step: a few per cent of the peak RMS, an eighth of it
    with an eighth of the step."""
    rms = []
    for one in (walks["reduced"], walk("reduced", step=0.5e-3)):
        acceleration = (one.stack("qvel_after") - one.stack("qvel")) / one.step
        rms.append(
            np.sqrt((relative_error(one.record, inverse_dynamics(one, acceleration))[0] ** 2).mean(axis=0)).max()
        )
    assert rms[0] < 0.03
    assert rms[1] < 0.25 * rms[0]


@pytest.mark.parametrize("kind", SECONDS)
def test_reduced_moments_do_the_work_of_the_models_own(walks, kind):
    """sum tau_full qvel_full = sum tau_reduced qvel_reduced: to rounding in motion that respects the couplings, and
    over the walk as the couplings of the full model give way (time constant 2 ms) and come back."""
    record, coupling = walks[kind].record, walks[kind].session.walker.coupling
    own = walks[kind].stack("qvel")
    lifted = (
        own
        if kind == "reduced"
        else np.array([coupling.lift_velocity(*qv) for qv in zip(record.qpos, record.qvel, strict=True)])
    )
    for name, moment in (("actuator", record.joint_moment), ("passive", record.passive_moment)):
        power, forces = (moment * record.qvel).sum(axis=1), walks[kind].stack(name)
        np.testing.assert_allclose(power, (forces * lifted).sum(axis=1), atol=1e-9 * np.abs(forces).max())
        slip = power - (forces * own).sum(axis=1)
        assert abs(slip.mean()) < 0.02 * np.abs(record.joint_power.sum(axis=1)).mean()


@pytest.mark.parametrize("kind", SECONDS)
def test_power_integrates_to_the_change_of_mechanical_energy(walks, kind):
    """Joint powers, passive ones and the ground's (contact forces by their points' velocities) against kinetic and
    potential energy: within 0.5 % of all that muscles and device gave and took."""
    w = walks[kind]
    model, record = w.session.walker.model, w.record
    data = mujoco.MjData(model)
    energy = []
    for row in w.steps:
        data.qpos[:], data.qvel[:] = row["qpos"], row["qvel"]
        mujoco.mj_fwdPosition(model, data)
        mujoco.mj_energyPos(model, data)
        mujoco.mj_fwdVelocity(model, data)
        mujoco.mj_energyVel(model, data)
        energy.append(data.energy.sum())
    mean = (w.stack("qvel") + w.stack("qvel_after")) / 2
    ground = [sum(f @ (j @ v) for _, _, f, j in row["ground"]) for row, v in zip(w.steps, mean, strict=True)]
    work = np.cumsum((record.joint_power.sum(axis=1) + ground) * w.step)[:-1]
    exchanged = np.abs(record.joint_power).sum() * w.step
    error = np.abs(work - (np.array(energy[1:]) - energy[0]))
    assert np.ptp(energy) > 0.05 * exchanged
    assert error.max() < 0.005 * exchanged


@pytest.mark.parametrize("kind", SECONDS)
def test_centre_of_pressure_and_free_moment_replace_the_contacts(walks, kind):
    """On each foot: within the hull of its contacts, and one force there with the free moment turns as they all do."""
    w = walks[kind]
    record, model = w.record, w.session.walker.model
    right = {int(b) for b in range(model.nbody) if model.body(b).name.endswith("_r")}
    seen = 0
    for i, row in enumerate(w.steps):
        for foot in range(2):
            rows = [(p, f) for b, p, f, _ in row["ground"] if (b in right) == (foot == 0) and np.abs(f).sum() > 0]
            total = sum((f for _, f in rows), np.zeros(3))
            np.testing.assert_allclose(record.ground_reaction[i, foot], total, atol=1e-8)
            if not total[2] > 1.0:
                continue
            seen += 1
            points, center = np.array([p for p, _ in rows]), record.center_of_pressure[i, foot]
            # The force's line goes on from the contact to the plane z = 0: with friction 1 at most by its depth.
            slack = 1e-3 + np.abs(points[:, 2]).max()
            assert (center[:2] > points[:, :2].min(axis=0) - slack).all()
            assert (center[:2] < points[:, :2].max(axis=0) + slack).all()
            turn = sum(np.cross(p, f) for p, f in rows)
            about = np.cross(center, total) + np.array([0, 0, record.free_moment[i, foot]])
            np.testing.assert_allclose(about, turn, atol=1e-6 * max(1, np.abs(turn).max()))
    assert seen > 0.9 * len(w.steps)


@pytest.mark.parametrize("kind", SECONDS)
def test_active_force_is_gain_times_activation_and_tension_adds_the_passive_part(walks, kind):
    """Against MuJoCo's own mju_muscleGain and mju_muscleBias, from the record's lengths, velocities, activations."""
    record, walker = walks[kind].record, walks[kind].session.walker
    model = walker.model
    for i in range(0, record.time.size, 7):
        for j, k in enumerate(walker.muscle_ids):
            length, span, force = record.muscle_length[i, j], model.actuator_lengthrange[k], model.actuator_acc0[k]
            velocity = record.muscle_velocity[i, j]
            gain = mujoco.mju_muscleGain(length, velocity, span, force, model.actuator_gainprm[k, :9])
            bias = mujoco.mju_muscleBias(length, span, force, model.actuator_biasprm[k, :9])
            assert record.muscle_active_force[i, j] == pytest.approx(-gain * record.activation[i, j], abs=1e-6)
            assert record.muscle_force[i, j] == pytest.approx(-gain * record.activation[i, j] - bias, abs=1e-6)


def test_a_stop_bears_load_only_beyond_its_range_and_pushes_back(walks):
    """Of the reduced model, whose limits are its joints' own: what is not a limit's is damping alone."""
    record, model = walks["reduced"].record, walks["reduced"].session.walker.model
    low, high = model.jnt_range.T
    beyond = np.where(record.qpos < low, 1.0, np.where(record.qpos > high, -1.0, 0.0)) * (model.jnt_limited > 0)
    limit = np.asarray(record.limit_moment)
    assert (limit * beyond >= 0).all() and (limit[beyond == 0] == 0).all()
    assert np.abs(limit[:, record.joint_names.index("hip_flexion_r")]).max() > 20
    np.testing.assert_allclose(record.passive_moment - limit, -model.dof_damping * record.qvel, atol=1e-9)


@pytest.mark.parametrize("kind", SECONDS)
def test_the_foots_tip_is_ahead_of_its_touch_volume_and_leads_when_flat(walks, kind):
    """The sole's foremost geom ends there in mid-stance: 76 mm ahead of the touch volume's centre."""
    record, model = walks[kind].record, walks[kind].session.walker.model
    reach = np.asarray(record.toe_tip) - record.toe_position
    assert (np.linalg.norm(reach, axis=2).std(axis=0) < 1e-9).all()  # one point of the toes
    assert 0.06 < np.abs(reach[:, :, 0]).max() < 0.09
    data = mujoco.MjData(model)
    data.qpos[:] = walks[kind].steps[-1]["qpos"]
    mujoco.mj_kinematics(model, data)
    toes = [model.site_bodyid[model.sensor(f"{side}_toes").objid[0]] for side in "rl"]
    for foot, body in enumerate(toes):
        geoms = np.flatnonzero((model.geom_bodyid == body) & (model.geom_type == mujoco.mjtGeom.mjGEOM_SPHERE))
        if not geoms.size:
            continue
        surface = np.linalg.norm(data.geom_xpos[geoms] - record.toe_tip[-1, foot], axis=1) - model.geom_size[geoms, 0]
        assert surface.min() == pytest.approx(0, abs=1e-6)


def test_the_person_is_the_body_without_the_device(walks):
    record = walks["reduced"].record
    assert record.device_mass == pytest.approx(2.33, abs=0.01)
    assert record.person_mass == pytest.approx(78.09, abs=0.01)
