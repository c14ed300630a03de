"""A muscle in series with an elastic tendon, as plain MJCF: its fibre is a slide that the tendon ends on.

The tendon's last point is carried by a slide along the line on from there, so that the tendon is as long as its path
and the slide's place together, and pulls as a spring that can be slack; the muscle draws the slide.
"""

import mujoco
import numpy as np

SUFFIX = "_fibre"  # of the slide's name, before the side
_AWAY = 0.1  # m from the tendon's last point to the slide at rest: more than a fibre ever moves
_MASS, _INERTIA = 1e-3, 1e-7  # kg, kg m2: MuJoCo wants some
_ARMATURE = 0.3  # kg: stable at 960 Hz and above (stiffness dt^2 / 4 is 0.12), 10 N at a fibre's 30 m/s2
_RANGE = (0.2, 1.6)  # fibre lengths, in optimal ones, at the ends of the actuator's length range


def slide_name(muscle: str) -> str:
    """``soleus_r`` -> ``soleus_fibre_r``."""
    return f"{muscle[:-2]}{SUFFIX}{muscle[-2:]}"


def put_tendon(spec: mujoco.MjSpec, model: mujoco.MjModel, muscle: str, rules: dict[str, float]) -> None:
    """Puts a muscle of a spec, compiled as ``model``, in series with a tendon.

    ``rules``: ``optimal_length_m`` of its fibre; ``tendon_length_m`` of the tendon and its ``strain_at_max_force``,
    which make its stiffness; ``rest_length``: of the fibre, in optimal lengths, at qpos0 when the tendon is just slack.
    """
    actuator = spec.actuator(muscle)
    tendon = spec.tendon(actuator.target)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    points = [wrap.target for wrap in tendon.path][-2:]
    last, ends = points[1], [data.site_xpos[model.site(point.name).id] for point in points]
    bone = model.body(last.parent.name).id
    axis = data.xmat[bone].reshape(3, 3).T @ (ends[1] - ends[0])
    axis /= np.linalg.norm(axis)
    name = slide_name(muscle)
    body = last.parent.add_body(
        name=name, pos=last.pos + _AWAY * axis, mass=_MASS, inertia=[_INERTIA] * 3, explicitinertial=True
    )
    body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis, armature=_ARMATURE, limited=0)
    body.add_site(name=name)
    tendon.wrap_site(name)
    force = actuator.gainprm[2]
    tendon.stiffness = np.array([force / (rules["strain_at_max_force"] * rules["tendon_length_m"]), 0.0, 0.0])
    slack = model.tendon_length0[model.tendon(tendon.name).id] + _AWAY
    tendon.springlength = [0.0, slack]
    optimal, rest = rules["optimal_length_m"], rules["rest_length"] * rules["optimal_length_m"]
    actuator.trntype, actuator.target = mujoco.mjtTrn.mjTRN_JOINT, name
    actuator.gear = [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    actuator.lengthrange = [x * optimal - rest for x in _RANGE]
    for prm in (actuator.gainprm, actuator.biasprm):
        prm[:2] = _RANGE


def slack(model: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    """``qpos [..., nq]`` with every fibre as long as it is when its tendon is just slack; a copy."""
    fibres = _fibres(model)
    if not fibres:
        return qpos
    out, data = np.array(qpos, float), mujoco.MjData(model)
    for pose in out.reshape(-1, out.shape[-1]):
        for joint, _ in fibres:
            pose[joint] = 0.0
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_tendon(model, data)
        for joint, tendon in fibres:
            pose[joint] = model.tendon_lengthspring[tendon, 1] - data.ten_length[tendon]
    return out


def _fibres(model: mujoco.MjModel) -> list[tuple[int, int]]:
    """(qpos index of the slide, tendon with a point on it) of each elastic tendon."""
    found: list[tuple[int, int]] = []
    for tendon in range(model.ntendon):
        rows = np.arange(model.tendon_adr[tendon], model.tendon_adr[tendon] + model.tendon_num[tendon])
        sites = model.wrap_objid[rows[model.wrap_type[rows] == mujoco.mjtWrap.mjWRAP_SITE]]
        for body in set(model.site_bodyid[sites].tolist()):
            joint = int(model.body_jntadr[body])
            if joint >= 0 and SUFFIX in model.joint(joint).name:
                found.append((int(model.jnt_qposadr[joint]), tendon))
    return found
