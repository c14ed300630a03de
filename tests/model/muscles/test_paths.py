"""Reduced against full tendon lengths, and moment arms by finite differences of MuJoCo's tendon length."""

import mujoco
import numpy as np
import pytest

from mjx_assist.model import assembly, mjcf
from mjx_assist.model.fidelity.report import fidelity
from mjx_assist.model.muscles import fit as path_fit
from mjx_assist.model.muscles import paths as muscle_paths
from mjx_assist.model.muscles.samples import Poses
from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.skeleton.coupling import read_coupling
from mjx_assist.model.skeleton.skeleton import read_skeleton

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
        constant = model.tendon_user[:, 0] if model.nuser_tendon else np.zeros(model.ntendon)
        return np.array(out) + constant[model.actuator_trnid[:22, 0]]

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
    assert np.sqrt(((own - length) ** 2).mean(0)).max() <= 0.2e-3


def test_reduced_moment_arms_match_full_model(compared):
    (_, arm), (_, own) = compared
    assert np.sqrt(((own - arm) ** 2).mean(0)).max() <= 1.6e-3
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


def test_left_and_right_are_refitted_alike(compared):
    (_, arm), (_, own) = compared
    error = np.sqrt(((own - arm) ** 2).mean(0)).max(1)
    np.testing.assert_allclose(error[:11], error[11:], atol=0.25e-3)


def test_paths_stay_sane_outside_the_walking_range(reduced, full):
    """Hip and knee alone, far beyond: within 20 % of the largest moment arm, so on the right side of the joint."""
    model = reduced.model
    for joint, reach in (("hip_flexion_r", (-0.8, 1.4)), ("knee_angle_r", (-1.9, 0.1))):
        column = model.joint(joint).id
        qpos = np.tile(model.qpos0, (40, 1))
        qpos[:, column] = np.linspace(*reach, 40)
        slope = muscle_paths.full_lengths(full, reduced.coupling, qpos)[1][..., column]
        own = muscle_paths.reduced_lengths(model, qpos)[1][..., column]
        for tendon in range(22):
            name = model.tendon(tendon).name
            arm = slope[:, full.tendon(name).id]
            assert np.abs(own[:, tendon] - arm).max() <= 0.2 * np.abs(arm).max() + 1e-6, name


def test_what_the_paths_cost(reduced):
    """Points only where segments are crossed, and few crossings: they are what a step's time goes into."""
    model = reduced.model
    cost = [muscle_paths.describe(model, tendon) for tendon in range(22)]
    assert sum(row["crossings"] for row in cost) <= 32 and sum(row["points"] for row in cost) <= 64
    assert all(row["points"] <= 2 * row["crossings"] for row in cost)
    assert {row["path"] for row in cost} == {"exact", "one bundle", "two bundles"}


ARM = """
<mujoco><compiler angle="radian"/><option gravity="0 0 -9.81"/>
  <worldbody><geom name="floor" type="plane" size="0 0 1" contype="0" conaffinity="0"/>
    <site name="a0" pos="0.1 0 0.2"/><site name="a1" pos="0.05 0.02 0.1"/><site name="a2" pos="0.04 0 0"/>
    <body pos="0 0 -0.1"><joint name="hip" axis="0 1 0"/><joint name="turn" axis="0 0 1"/>
      <geom size="0.05 0.1" type="capsule" mass="2" contype="0" conaffinity="0"/>
      <geom name="bone" type="cylinder" size="0.03 0.1" pos="0.01 0 -0.2" quat="0.7 0.7 0 0" mass="0"/>
      <site name="b0" pos="0.05 0 -0.05"/><site name="b1" pos="0.06 0.01 -0.1"/><site name="b2" pos="0.04 0 -0.15"/>
      <site name="front" pos="0.1 0 -0.2"/><site name="back" pos="-0.1 0 -0.2"/>
      <body pos="0 0 -0.2"><joint name="knee" axis="0 1 0" range="-2 2" limited="true"/>
        <geom size="0.04 0.1" type="capsule" mass="1" contype="0" conaffinity="0"/>
        <geom name="ball" type="sphere" size="0.02" pos="0 0 -0.05" mass="0"/>
        <site name="c0" pos="0.03 0 -0.1"/><site name="c1" pos="0.02 0.01 -0.15"/><site name="c2" pos="0.01 0 -0.2"/>
      </body></body></worldbody>
  <tendon>
    <spatial name="plain"><site site="a0"/><site site="a1"/><site site="a2"/><site site="b0"/><site site="b1"/>
      <site site="b2"/><site site="c0"/><site site="c1"/></spatial>
    <spatial name="wrapped"><site site="a1"/><site site="a2"/><site site="b0"/><site site="b2"/>
      <geom geom="bone" sidesite="front"/><site site="c0"/><site site="c2"/></spatial>
    <spatial name="behind"><site site="a2"/><geom geom="bone" sidesite="back"/><site site="c0"/></spatial>
    <spatial name="ball"><site site="b1"/><geom geom="ball"/><site site="c2"/><site site="c1"/></spatial>
    <spatial name="heads"><site site="a0"/><site site="a2"/><pulley divisor="2"/><site site="a2"/><site site="b1"/>
      <pulley divisor="3"/><site site="b0"/><site site="b1"/><site site="c1"/><site site="c2"/></spatial>
    <spatial name="spring" stiffness="400" springlength="0.3 0.4" damping="3" limited="true" range="0.1 0.55">
      <site site="a0"/><site site="a2"/><site site="c0"/><site site="c2"/></spatial>
    <spatial name="idle"><site site="a0"/><site site="c2"/></spatial>
  </tendon>
  <actuator>
    <muscle name="m0" tendon="plain" force="500" lengthrange="0.5 0.8"/>
    <muscle name="m1" tendon="wrapped" force="400" lengthrange="0.3 0.6" gear="1.5"/>
    <muscle name="m2" tendon="behind" force="300" lengthrange="0.2 0.5"/>
    <muscle name="m3" tendon="ball" force="300" lengthrange="0.05 0.3"/>
    <position name="servo" tendon="heads" kp="30" gear="2"/>
    <general name="affine" tendon="plain" gaintype="affine" gainprm="2 5 1" biastype="affine" biasprm="1 -20 -2"/>
    <motor name="motor" tendon="spring" gear="3"/>
  </actuator>
</mujoco>"""


def reduced_arm(xml: str) -> tuple[mujoco.MjModel, mujoco.MjModel]:
    """A hand-made model as it is and as its paths are written when nothing is coupled."""
    full = mujoco.MjModel.from_xml_string(xml)
    skeleton = read_skeleton(full, read_coupling(full), {})
    paths = muscle_paths.read_paths(full, skeleton)
    return full, mjcf.load(mjcf.write(full, skeleton, paths, [], {}, {"timestep": 0.002}, {}))


def test_pruned_and_wrapped_paths_act_exactly_as_whole_ones():
    """Muscles, servo, affine law, spring, damper and limit, whatever of the length is constant being left out."""
    full, own = reduced_arm(ARM)
    assert own.nwrap < full.nwrap - 9 and own.ntendon == full.ntendon - 1  # what exerts no force is not there
    random, pushed = np.random.default_rng(0), np.zeros(full.nu)
    whole, data = mujoco.MjData(full), mujoco.MjData(own)
    for _ in range(100):
        whole.qpos[:], whole.qvel[:] = random.uniform(-1.2, 1.2, 3), random.normal(0, 2, 3)
        whole.ctrl[:], whole.act[:] = random.uniform(0, 1, full.nu), random.uniform(0, 1, full.na)
        data.qpos[:], data.qvel[:], data.ctrl[:], data.act[:] = whole.qpos, whole.qvel, whole.ctrl, whole.act
        mujoco.mj_forward(full, whole)
        mujoco.mj_forward(own, data)
        np.testing.assert_allclose(data.actuator_force, whole.actuator_force, rtol=1e-7, atol=1e-6)
        for part in ("qfrc_actuator", "qfrc_passive", "qfrc_constraint", "qacc"):
            np.testing.assert_allclose(getattr(data, part), getattr(whole, part), rtol=1e-6, atol=1e-5)
        length = data.ten_length + muscle_paths.constants(own)
        np.testing.assert_allclose(
            length, whole.ten_length[[full.tendon(t.name).id for t in map(own.tendon, range(6))]]
        )
        pushed = np.maximum(pushed, np.abs(data.actuator_force))
    assert (pushed > 0.9).all()  # none of them idled
    kinds = [muscle_paths.describe(own, tendon)["path"] for tendon in range(own.ntendon)]
    assert kinds == ["exact", "exact with wraps", "exact with wraps", "exact with wraps", "exact", "exact"]


def test_moment_arms_count_what_follows():
    """A joint that stays a joint and follows another one: the slope is that of the length as both move."""
    model = mujoco.MjModel.from_xml_string("""
        <mujoco><worldbody><site name="s"/><body pos="0 0 -0.3"><joint name="a" axis="0 1 0"/><geom size="0.1"/>
          <body pos="0 0 -0.3"><joint name="b" axis="0 1 0"/><geom size="0.1"/><site name="e" pos="0.1 0 -0.1"/></body>
        </body></worldbody><tendon><spatial><site site="s"/><site site="e"/></spatial></tendon>
        <equality><joint joint1="b" joint2="a" polycoef="0.1 0.5 -0.3 0.2 0"/></equality></mujoco>""")
    angle = np.linspace(-1, 1, 9)

    def lengths(angle):
        qpos = muscle_paths.settled(model, np.stack([angle, np.zeros(9)], axis=1))
        return qpos, *muscle_paths._tendons(model, qpos, None)

    qpos, _, slope = lengths(angle)
    np.testing.assert_allclose(qpos[:, 1], 0.1 + 0.5 * angle - 0.3 * angle**2 + 0.2 * angle**3)
    total = muscle_paths.by_driver(model, qpos, slope)[:, 0]
    difference = (lengths(angle + STEP)[1] - lengths(angle - STEP)[1])[:, 0] / (2 * STEP)
    np.testing.assert_allclose(total, np.stack([difference, np.zeros(9)], axis=1), atol=1e-9)


def test_fit_derivatives_are_those_of_its_lengths(reduced, full):
    """The Jacobian that the least squares uses, against differences of the function itself."""
    skeleton = read_skeleton(
        full, reduced.coupling, {full.joint(f"knee_angle_{side}").id: (-1.25, 0.0) for side in "rl"}
    )
    path = next(p for p in muscle_paths.read_paths(full, skeleton) if full.tendon(p.tendon).name.startswith("rect_fem"))
    poses = Poses(full, reduced.coupling, reduced.model, [path.tendon], {})
    fit = path_fit._Fit(path_fit._Target(poses, path), next(route for *_, route in path_fit._plans(path)))
    x = fit.best.x + np.random.default_rng(0).normal(0.0, 0.02, fit.best.x.size)
    _, _, by_x, slope_by_x = fit._evaluate(x)
    for index in range(x.size):
        shift = np.zeros(x.size)
        shift[index] = 1e-6
        ahead, behind = fit._evaluate(x + shift), fit._evaluate(x - shift)
        np.testing.assert_allclose((ahead[0] - behind[0]) / 2e-6, by_x[:, index], atol=1e-7)
        np.testing.assert_allclose((ahead[1] - behind[1]) / 2e-6, slope_by_x[..., index], atol=1e-7)


def test_a_tendon_that_is_a_sum_of_joints_stays_one():
    fixed = '<fixed name="sum"><joint joint="{}" coef="1.5"/></fixed></tendon>'
    motor = '<motor tendon="sum"/></actuator>'
    _, model = reduced_arm(ARM.replace("</tendon>", fixed.format("hip")).replace("</actuator>", motor))
    data = mujoco.MjData(model)
    data.qpos[model.joint("hip").qposadr[0]] = 0.4
    mujoco.mj_fwdPosition(model, data)
    assert data.ten_length[model.tendon("sum").id] == pytest.approx(0.6)


@pytest.mark.slow
@pytest.mark.parametrize("human", ["myolegs26", "myolegs"])
def test_paths_of_the_other_humans(human):
    """Touched by a folded joint: within the bounds; all others, wraps included: exact."""
    for muscle in fidelity(reduce_model(human, "none"))["muscles"]:
        if muscle["path"].startswith("exact"):
            assert not muscle["path_changed"], muscle["muscle"]
        assert muscle["length_rmse_mm"] <= 1.0
        assert muscle["moment_arm_rmse_mm"] <= max(2.0, 0.05 * muscle["moment_arm_peak_mm"]), muscle["muscle"]
