"""What a policy sees: names, order, the mirror, and that a mirrored walker sees the mirrored observation."""

import mirrored
import mujoco
import numpy as np
import pytest

from mjx_assist.config.schema import JOINT_POSITIONS, JOINT_VELOCITIES, EnvParams
from mjx_assist.errors import UserError
from mjx_assist.model import names as model_names
from mjx_assist.model.names import joint_mirror_signs, mirror, mirrored_name
from mjx_assist.sim import observation

LOADS = EnvParams().observation_joint_sensor_keys
RIGHT = [
    "hamstrings",
    "bifemsh",
    "edl",
    "fdl",
    "glutmax",
    "iliopsoas",
    "rectfem",
    "vasti",
    "gastroc",
    "soleus",
    "tibant",
]


@pytest.fixture(scope="module")
def spec(reduced):
    return observation.make_spec(reduced.model, JOINT_POSITIONS, JOINT_VELOCITIES, LOADS, True)


def test_order_is_myoassists(spec):
    joints = ["ankle_angle_l", "ankle_angle_r", "hip_flexion_l", "hip_flexion_r", "knee_angle_l", "knee_angle_r"]
    assert spec.names == (
        *(f"qpos.{j}" for j in [*joints, "pelvis_tilt", "pelvis_ty"]),
        *(f"qvel.{j}" for j in [*joints, "pelvis_tilt", "pelvis_tx", "pelvis_ty"]),
        *(f"act.{m}_{side}" for side in "rl" for m in RIGHT),
        *(f"load.{s}" for s in ("r_foot", "l_foot", "r_toes", "l_toes")),
        "target_velocity",
        "phase.sin",
        "phase.cos",
    )
    assert spec.size == 46


def test_the_gait_phase_is_optional(reduced):
    blind = observation.make_spec(reduced.model, JOINT_POSITIONS, JOINT_VELOCITIES, LOADS, False)
    assert blind.size == 44 and blind.names[-1] == "target_velocity"


def test_a_mirrored_walker_sees_the_mirrored_observation(spec, reduced, gait):
    mirrored.assert_sees_the_mirrored_observation(reduced.model, spec, gait, {}, largest=0.03, largest_speed=0.15)


def test_mirroring_twice_changes_nothing(spec):
    index, sign = mirror(spec.names)
    np.testing.assert_array_equal(index[index], np.arange(spec.size))
    np.testing.assert_array_equal(sign * sign[index], 1.0)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("qpos.hip_flexion_r", "qpos.hip_flexion_l"),
        ("load.r_toes", "load.l_toes"),
        ("Exo_L", "Exo_R"),
        ("act.Exo_motor_dx", "act.Exo_motor_sx"),
        ("Dev_L1_link_a_r__link_b_r", "Dev_L1_link_a_l__link_b_l"),
        ("gastroc_r_med-P2_x", "gastroc_l_med-P2_x"),
        ("pelvis_tilt", "pelvis_tilt"),
        ("phase.sin", "phase.sin"),
        ("target_velocity", "target_velocity"),
    ],
)
def test_mirrored_names(name, other):
    assert mirrored_name(name) == other
    assert mirrored_name(other) == name


def test_signs_come_from_the_axes_and_not_from_the_names():
    """A free-floating body with two legs, seen in a mirror: which coordinates change their sign."""
    leg = """<body name="{s}" pos="0 {y} 0"><geom size="0.1"/><joint name="flex_{s}" axis="0 -1 0"/>
    <joint name="ab_{s}" axis="1 0 0"/><joint name="turn_{s}" axis="0 0 {t}"/></body>"""
    legs = leg.format(s="r", y=-0.1, t=1) + leg.format(s="l", y=0.1, t=-1)
    xml = f"""<mujoco><worldbody><body><geom size="0.1"/><joint name="x" type="slide" axis="1 0 0"/>
    <joint name="y" type="slide" axis="0 -1 0"/><joint name="tilt" axis="0 -1 0"/><joint name="list" axis="1 0 0"/>
    <joint name="yaw" axis="0 0 1"/>{legs}</body></worldbody></mujoco>"""
    model = mujoco.MjModel.from_xml_string(xml)
    root = {"x": 1, "y": -1, "tilt": 1, "list": -1, "yaw": -1}
    legs = {f"{joint}_{side}": sign for side in "rl" for joint, sign in (("flex", 1), ("ab", -1), ("turn", 1))}
    assert joint_mirror_signs(model) == root | legs
    assert model_names.asymmetry(model) is None
    index, sign = mirror(("qpos.ab_r", "qpos.ab_l", "qvel.yaw", "act.yaw"), root | legs)
    assert index.tolist() == [1, 0, 2, 3] and sign.tolist() == [-1, -1, -1, 1]
    one_legged = mujoco.MjModel.from_xml_string(xml.replace("flex_l", "knee"))
    assert "'flex_r' has no partner" in model_names.asymmetry(one_legged)


def test_a_missing_partner_is_named():
    with pytest.raises(UserError, match=r"mirror partner of 'qpos.hip_flexion_r'"):
        mirror(("qpos.hip_flexion_r", "pelvis_tilt"))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"position_joints": ("hip_flexion",)}, "hip_flexion_"),
        ({"velocity_joints": ("pelvis_tz",)}, "pelvis_t"),
        ({"sensors": ("r_heel",)}, "r_foot"),
    ],
)
def test_unknown_names_get_the_nearest(reduced, keys, words):
    right = {"position_joints": JOINT_POSITIONS, "velocity_joints": JOINT_VELOCITIES, "sensors": LOADS}
    with pytest.raises(UserError, match=words):
        observation.make_spec(reduced.model, **{**right, **keys}, gait_phase=True)


def test_batches_are_observed_like_single_walkers(spec, reduced):
    rng = np.random.default_rng(0)
    m = reduced.model

    class Batch:
        qpos, qvel = rng.normal(size=(2, 3, 5, m.nq))
        act, sensordata = rng.normal(size=(3, 5, m.na)), rng.normal(size=(3, 5, m.nsensordata))

    class One:
        qpos, qvel, act, sensordata = (getattr(Batch, n)[2, 4] for n in ("qpos", "qvel", "act", "sensordata"))

    target, phase = rng.uniform(size=(2, 3, 5))
    many = observation.observe(spec, Batch, target, phase)
    assert many.shape == (3, 5, 46)
    np.testing.assert_array_equal(many[2, 4], observation.observe(spec, One, target[2, 4], phase[2, 4]))


def test_activations_of_muscles_alone_leave_out_a_devices_filters():
    xml = """<mujoco><worldbody><site name="a" pos="0 0 1"/><body name="b"><joint name="j"/><geom size="0.1"/>
    <site name="c" pos="0.2 0 0"/></body></worldbody><tendon><spatial name="t"><site site="a"/>
    <site site="c"/></spatial></tendon><actuator><general name="motor" joint="j" dyntype="filter" dynprm="0.1"/>
    <muscle name="m" tendon="t" ctrlrange="0 1" lengthrange="0.5 1.5"/></actuator></mujoco>"""
    model = mujoco.MjModel.from_xml_string(xml)
    both = observation.make_spec(model, ("j",), (), (), False)
    muscles = observation.make_spec(model, ("j",), (), (), False, (), "muscles")
    assert both.names == ("qpos.j", "act.motor", "act.m", "target_velocity")
    assert muscles.names == ("qpos.j", "act.m", "target_velocity")
    data = mujoco.MjData(model)
    data.act[:] = 0.3, 0.7
    np.testing.assert_allclose(observation.observe(muscles, data, 1.25, 0.0), [0.0, 0.7, 1.25])
