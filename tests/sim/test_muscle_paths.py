"""Reduced against full tendon lengths, and moment arms by finite differences of MuJoCo's tendon length."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.sim import assembly, muscle_paths, path_fit
from mjx_assist.sim.coupling import read_coupling
from mjx_assist.sim.skeleton import read_skeleton

WALKING = {
    "hip_flexion": (-0.5, 0.7),
    "knee_angle": (-1.25, 0.0),
    "ankle_angle": (-0.5, 0.35),
    "mtp_angle": (-0.5, 0.5),
}
STEP = 1e-5  # rad


@pytest.fixture(scope="module")
def full() -> mujoco.MjModel:
    return assembly.full_model("myolegs22", "Tutorial_L1", "composed")


@pytest.fixture(scope="module")
def compared(reduced, full):
    """Actuator lengths [poses, 22] and moment arms [poses, 22, joints] of (full, reduced) at random walking poses."""
    model, random = reduced.model, np.random.default_rng(7)
    qpos = np.zeros((150, model.nq))
    for j in range(3, model.nq):
        qpos[:, j] = random.uniform(*WALKING[model.joint(j).name[:-2]], len(qpos))

    def lengths(model, qpos):
        data, out = mujoco.MjData(model), []
        for q in qpos:
            data.qpos[:] = q
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_tendon(model, data)
            out.append(data.ten_length[model.actuator_trnid[:22, 0]].copy())
        return np.array(out)

    def arms(model, lift):
        around = [np.eye(qpos.shape[1])[j] * STEP for j in range(3, qpos.shape[1])]
        slopes = [lengths(model, lift(qpos + d)) - lengths(model, lift(qpos - d)) for d in around]
        return -np.stack(slopes, axis=-1) / (2 * STEP)

    lift = reduced.coupling.lift
    return (
        (lengths(full, lift(qpos)), arms(full, lift)),
        (lengths(model, qpos), arms(model, lambda q: q)),
    )


def test_reduced_tendon_lengths_match_full_model(compared):
    (length, _), (own, _) = compared
    assert np.sqrt(((own - length) ** 2).mean(0)).max() <= 0.6e-3


def test_reduced_moment_arms_match_full_model(compared):
    (_, arm), (_, own) = compared
    assert np.sqrt(((own - arm) ** 2).mean(0)).max() <= 2.5e-3
    assert np.abs(arm).max() > 0.05  # the bound is small against what is compared


def test_muscles_without_coupled_points_are_exact(compared, full):
    """Which those are follows from the full model: no site on a coupled body, and no knee on the way."""
    (length, arm), (own_length, own_arm) = compared
    names = [full.actuator(a).name for a in range(22)]
    for name in ("edl", "fdl", "glutmax", "soleus", "tibant"):
        for a in (names.index(f"{name}_r"), names.index(f"{name}_l")):
            assert np.abs(own_length[:, a] - length[:, a]).max() < 1e-6
            assert np.abs(own_arm[:, a] - arm[:, a]).max() < 1e-6


def test_muscle_forces_are_nearly_those_of_the_full_model(reduced, full):
    """At half activation and at rest, standing with bent joints: within 2 % of each muscle's strength."""
    qpos = np.array([0.0, 0.9, 0.0, 0.3, -0.5, 0.1, 0.0, -0.2, -0.3, -0.1, 0.1])
    forces = []
    for model, q in ((full, reduced.coupling.lift(qpos)), (reduced.model, qpos)):
        data = mujoco.MjData(model)
        data.qpos[:], data.act[:], data.qvel[:] = q, 0.5, 0.0
        mujoco.mj_forward(model, data)
        forces.append(data.actuator_force[:22].copy())
    assert (np.abs(forces[1] - forces[0]) <= 0.02 * full.actuator_gainprm[:22, 2]).all()


def test_fit_derivatives_are_those_of_its_lengths(reduced):
    """The Jacobian that the least squares uses, against differences of the function itself."""
    full = assembly.full_model("myolegs22", "none", "composed")
    skeleton = read_skeleton(full, read_coupling(full), {j: (-1.25, 0.0) for j in range(full.njnt)})
    joints = ["hip_flexion_r", "knee_angle_r"]
    qpos = muscle_paths.sample_grid(reduced.model, joints, {"hip_flexion_r": (-1, 1), "knee_angle_r": (-1, 0)}, 3)
    target = path_fit._Target(
        reduced.model, skeleton, qpos, joints, [1, 2, 3, 3], np.zeros(9), np.zeros((9, 2)), np.ones(9)
    )
    positions = np.random.default_rng(0).normal(0.0, 0.1, (4, 3))
    _, _, by_position, slope_by_position = target.evaluate(positions)
    for index in np.ndindex(4, 3):
        shift = np.zeros((4, 3))
        shift[index] = 1e-6
        ahead, behind = target.evaluate(positions + shift), target.evaluate(positions - shift)
        np.testing.assert_allclose((ahead[0] - behind[0]) / 2e-6, by_position[:, *index], atol=1e-7)
        np.testing.assert_allclose((ahead[1] - behind[1]) / 2e-6, slope_by_position[:, :, *index], atol=1e-7)


def test_wrapped_muscles_are_refused_by_name():
    full = assembly.full_model("myolegs22", "none", "composed")
    skeleton = read_skeleton(full, read_coupling(full), {j: (-1.25, 0.0) for j in range(full.njnt)})
    full.wrap_type[full.tendon_adr[3]] = mujoco.mjtWrap.mjWRAP_CYLINDER
    with pytest.raises(UserError, match=full.tendon(3).name):
        muscle_paths.read_paths(full, skeleton)
