"""A MuJoCo model that a policy can walk, reduced or full, read in the reduced model's joints, muscles and feet."""

import copy
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.words import FULL, MODEL_KINDS, REDUCED
from mjx_assist.errors import unknown
from mjx_assist.eval.replay.contact import ContactTape, GroundContact, RigidFoot
from mjx_assist.model import anatomy, mjcf, variation
from mjx_assist.model.assembly import AS_COMPOSED, RIGID, full_model
from mjx_assist.model.names import actuator_names, has_sensor, joint_names
from mjx_assist.model.subjects.told import leg_scale
from mjx_assist.model.variation import Variation
from mjx_assist.model.view import TOUCH, foot_loads, reduced_view
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.bundle import Bundle
from mjx_assist.reference import feet
from mjx_assist.sim import action
from mjx_assist.terrain import heightfield
from mjx_assist.terrain.heightfield import FLOOR, Ground


@dataclass(frozen=True)
class BodyState:
    """What the observation reads, in the reduced model's order (see `sim.observation.observe`)."""

    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    sensordata: np.ndarray


@dataclass(frozen=True)
class StepStart:
    """Time (s) and reduced state at which a physics step begins: MuJoCo's forces of that step are found there."""

    time: float
    qpos: np.ndarray
    qvel: np.ndarray
    activation: np.ndarray


class Walker:
    """Simulates one model of a bundle; everything in and out is in the reduced model's order.

    ``kind``: ``reduced`` as trained; ``full`` assist_sim's composition with rigid couplings; ``composed`` as it is.
    ``ground`` takes the place of the plane.
    """

    def __init__(self, bundle: Bundle, kind: str = REDUCED, ground: heightfield.Terrain | None = None):
        if kind not in MODEL_KINDS:
            raise unknown("--model", kind, MODEL_KINDS)
        self.reduced = bundles.reduced_model(bundle)
        self.kind = kind
        self.coupling = bundle.coupling
        if kind == REDUCED:
            self.model = mjcf.load(heightfield.with_ground(bundle.xml, ground))
        else:
            self.model = full_model(bundle.human, bundle.device, RIGID if kind == FULL else AS_COMPOSED, ground)
        m = self._base = self.model
        self.data = mujoco.MjData(m)
        self.joint_names = joint_names(self.reduced)
        self.actuator_names = actuator_names(self.reduced)
        self.sensor_names = _sensor_columns(self.reduced)
        self.view = reduced_view(self.reduced, m)
        self.muscle, self.qpos_index = self.view.muscle, self.view.qpos
        self.muscle_ids, self._device_ids = self.view.ctrl[self.muscle], self.view.ctrl[~self.muscle]
        self._muscle_act_ids = self.view.act[action.muscle_activations(self.reduced)]
        self._floor = m.geom(FLOOR).id
        self._height = self.qpos_index[self.joint_names.index("pelvis_ty")]
        self._forward = self.qpos_index[self.joint_names.index("pelvis_tx")]
        self._side = self.qpos_index[self.joint_names.index("pelvis_tz")] if "pelvis_tz" in self.joint_names else None
        self._push_dof = m.joint("pelvis_tx").dofadr[0]
        self._side_dof = None if self._side is None else m.joint("pelvis_tz").dofadr[0]
        self.stands_on = Ground(ground)
        self._height_offset = anatomy.height_offset(self.reduced)
        self.leg_scale = leg_scale(self.reduced)
        self._foot_part, self._rigid_feet = self._foot_parts(), self._find_rigid_feet()
        self._heels = [self._heel(f"{side}_foot_position", f"{side}_foot") for side in "rl"]
        self._toes = np.array([m.sensor(toes if has_sensor(m, toes) else foot).objid[0] for foot, toes in TOUCH])
        self._tips = feet.toe_tips(m)
        self._loads = foot_loads(self.reduced)
        self.body_mass = float(m.body_subtreemass[0])
        self._follows = np.eye(len(self.joint_names))[self.coupling.source]
        self.device_joints = self._device_joints()

    def vary(self, differences: Variation) -> None:
        """Make the model what a variation of the reduced model says, from now on."""
        if all(x is None for x in differences):
            return
        if self._base is self.model:
            self._base = copy.copy(self.model)
        variation.write(self._base, self.model, self.view.variation(differences))
        slope, lane = (None if x is None else float(x) for x in (differences.slope, differences.lane))
        self.stands_on = Ground(self.stands_on.terrain, slope or 0.0, lane)
        self.body_mass = float(self.model.body_subtreemass[0])

    def reset(self, qpos: np.ndarray, qvel: np.ndarray, activation: float) -> None:
        """Start from a reduced state; the full model is posed by `lift`, its couplings satisfied."""
        mujoco.mj_resetData(self.model, self.data)
        if self.kind == REDUCED:
            self.data.qpos[:], self.data.qvel[:] = qpos, qvel
        else:
            self.data.qpos[:] = self.coupling.lift(qpos)
            self.data.qvel[:] = self.coupling.lift_velocity(qpos, qvel)
        self.data.act[self._muscle_act_ids] = activation
        self._begin()

    def step(self, control: np.ndarray) -> None:
        """One physics step with controls in the reduced model's actuator order."""
        self.data.ctrl[self.view.ctrl] = control
        self._begin()
        mujoco.mj_step(self.model, self.data)

    def _begin(self) -> None:
        d = self.data
        self.begun = StepStart(d.time, d.qpos[self.qpos_index], d.qvel[self.qpos_index], self.muscle_activation())

    def state(self) -> BodyState:
        """The state as the policy's observation reads it; foot loads come from the contacts, as touch sensors feel."""
        d = self.data
        if self.kind == REDUCED:
            sensors = d.sensordata.copy()
        elif d.time > 0:
            sensors = self.sensors_from(self.contact_forces()[1])
        else:
            sensors = np.zeros(self.reduced.nsensordata)
        qpos = d.qpos[self.qpos_index]
        qpos[self.joint_names.index("pelvis_ty")] -= self.ground()
        return BodyState(qpos, d.qvel[self.qpos_index], d.act[self.view.act], sensors)

    def sensors_from(self, load: np.ndarray) -> np.ndarray:
        """The reduced model's ``sensordata [..., S]`` with touch sensors that feel loads ``[..., 2, 2]`` N, else 0."""
        sensors = np.zeros((*load.shape[:-2], self.reduced.nsensordata))
        self._loads.put(sensors, load)
        return sensors

    def full_pose(self) -> np.ndarray:
        """Coordinates ``[nq_full]`` of the full skeleton, where it is in the world."""
        return self.coupling.lift(self.data.qpos[self.qpos_index])

    def finite(self) -> bool:
        """Whether the simulation is still meaningful."""
        d = self.data
        return all(bool(np.isfinite(part).all()) for part in (d.qpos, d.qvel, d.act, d.sensordata))

    def contact_forces(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the last step: ground reaction ``[2, 3]`` N on each foot (world), normal load ``[2, (foot, toes)]`` N."""
        contact = self.ground_contact()
        return contact.force, contact.load

    def ground_contact(self) -> GroundContact:
        """What the ground did to each foot in the last step (arrays without the axis of samples)."""
        tape = self.contact_tape()
        tape.add(self.data)
        return tape.decode().sample(0)

    def contact_tape(self) -> ContactTape:
        """An empty tape for the contacts of this walker's feet."""
        ground = self.ground_at if self.uneven else None
        return ContactTape(self.model, self._floor, self._foot_part, ground, self._rigid_feet)

    def push(self, force: float, left: float = 0.0) -> None:
        """Push the pelvis, through its origin, with ``force`` N along x and ``left`` N to the left from now on."""
        self.data.qfrc_applied[self._push_dof] = force
        if self._side_dof is not None:
            self.data.qfrc_applied[self._side_dof] = -left

    def place(self) -> float:
        """How far the centre of mass has come along the way, m."""
        return float(self.data.subtree_com[1, 0])

    def device_generalised(self) -> np.ndarray:
        """Generalised forces ``[D, nv]`` of each device actuator in the model's own coordinates (N*m, N)."""
        return self.data.actuator_force[self._device_ids, None] * self._device_arms()

    def device_torque(self) -> np.ndarray:
        """``[D]`` N*m that each device actuator gives to its joint of ``device_joints``, in that joint's sign."""
        return self.about_driven(self.to_reduced(self.data.qpos[self.qpos_index], self.device_generalised()))

    def about_driven(self, moments: np.ndarray) -> np.ndarray:
        """Of device actuators' moments ``[..., D, J]`` each one's ``[..., D]`` about the joint that it drives."""
        driven = [self.joint_names.index(joint) for joint in self.device_joints]
        return moments[..., np.arange(len(driven)), driven]

    def _device_arms(self) -> np.ndarray:
        """Moment arms ``[D, nv]`` of the device actuators in the model's own coordinates (m, 1)."""
        d = self.data
        arms = np.zeros((self.model.nu, self.model.nv))
        mujoco.mju_sparse2dense(arms, d.actuator_moment, d.moment_rownnz, d.moment_rowadr, d.moment_colind)
        return arms[self._device_ids]

    def _device_joints(self) -> tuple[str, ...]:
        """The reduced joint that each device actuator drives (the one with the largest moment arm)."""
        mujoco.mj_forward(self.model, self.data)
        arms = self.to_reduced(self.data.qpos[self.qpos_index], self._device_arms())
        return tuple(self.joint_names[int(joint)] for joint in np.abs(arms).argmax(1))

    def foot_positions(self) -> np.ndarray:
        """Heel-body origins ``[2, 3]`` in the world, m."""
        return np.array(self._heels)

    def toe_positions(self) -> np.ndarray:
        """Centres ``[2, 3]`` of the forefoot's touch volumes in the world, m; of the foot's where it has no toes."""
        return self.data.site_xpos[self._toes]

    def toe_tips(self) -> np.ndarray:
        """Foremost points ``[2, 3]`` of the soles in the world, m."""
        return np.array([self.data.xpos[body] + self.data.xmat[body].reshape(3, 3) @ tip for body, tip in self._tips])

    def leg_length(self) -> float:
        """Height of the pelvis origin over the ground at the reference position, m (for dimensionless figures).

        Of a model without the keyframe: of its hip.
        """
        key = mujoco.mj_name2id(self.reduced, mujoco.mjtObj.mjOBJ_KEY, "stand")
        if key < 0:
            return feet.leg_length(self.reduced)
        height = self.joint_names.index("pelvis_ty")
        return float(self.reduced.key_qpos[key][height]) + self._height_offset

    def height(self) -> float:
        """Of the root over the ground under it, m."""
        return float(self.data.qpos[self._height]) + self._height_offset - self.ground()

    @property
    def uneven(self) -> bool:
        """Whether the ground is other than the plane z = 0."""
        return self.stands_on.terrain is not None or self.stands_on.slope != 0.0

    def ground(self, ahead: float = 0.0) -> float:
        """Height of the ground under the root, or some m ahead of it, in the world, m."""
        return float(self.ground_at(self.data.qpos[self._forward] + ahead, self._left()))

    def ground_at(self, x: Any, y: Any) -> Any:
        """Height of the ground at places of the world, m."""
        return self.stands_on.height(x, y)

    def _left(self) -> float:
        """How far the root is to the left, m; 0 for planar models."""
        return 0.0 if self._side is None else -float(self.data.qpos[self._side])

    def muscle_activation(self) -> np.ndarray:
        """``[M]`` 0..1."""
        return self.data.act[self._muscle_act_ids]

    def to_reduced(self, qpos: np.ndarray, generalised: np.ndarray) -> np.ndarray:
        """Forces ``[..., nv]`` of the model's own coordinates on the reduced ones ``[..., J]``, at reduced ``qpos``.

        By the couplings' slopes (virtual work).
        """
        if self.kind == REDUCED:
            return generalised
        return (self.coupling.slope(qpos) * generalised) @ self._follows

    def _foot_parts(self) -> np.ndarray:
        """``[ngeom]`` 2 * side + part for the geoms of the rigid segment that carries each touch sensor, else -1."""
        m = self.model
        segments = np.full(m.ngeom, -1)
        for segment, name in enumerate(name for side in TOUCH for name in side):
            if not has_sensor(m, name):  # a foot without toes
                continue
            weld = m.body_weldid[m.site_bodyid[m.sensor(name).objid[0]]]
            segments[m.body_weldid[m.geom_bodyid] == weld] = segment
        return segments

    def _find_rigid_feet(self) -> list[RigidFoot]:
        """The feet of which heel and toes are one body."""
        r, found = self.reduced, []
        for foot, names in enumerate(TOUCH):
            if not all(has_sensor(r, name) for name in names):
                continue
            bodies = [r.site_bodyid[r.sensor(name).objid[0]] for name in names]
            if bodies[0] == bodies[1]:
                own = [[g for g in range(r.ngeom) if r.geom(g).name.startswith(f"{name}_")] for name in names]
                ends = np.array([r.geom_pos[geoms].mean(axis=0) for geoms in own])
                found.append(RigidFoot(foot, self.model.body(r.body(bodies[0]).name).id, ends))
        return found

    def _heel(self, sensor: str, touch: str) -> np.ndarray:
        """Where a foot's heel-body origin is, a view ``[3]``: the position sensor's object, else the touch's body."""
        m, d = self.model, self.data
        if has_sensor(m, sensor):
            positions = d.site_xpos if m.sensor(sensor).objtype[0] == mujoco.mjtObj.mjOBJ_SITE else d.xpos
            return positions[m.sensor(sensor).objid[0]]
        return d.xpos[m.site_bodyid[m.sensor(touch).objid[0]]]


def _sensor_columns(model: mujoco.MjModel) -> tuple[str, ...]:
    """A name for each number of ``sensordata``: the sensor's own, with .x .y .z .w where it gives several."""
    names = []
    for sensor in range(model.nsensor):
        name, size = model.sensor(sensor).name, model.sensor_dim[sensor]
        names += [name] if size == 1 else [f"{name}.{axis}" for axis in "xyzw"[:size]]
    return tuple(names)
