"""A MuJoCo model that a policy can walk, reduced or full, read in the reduced model's joints, muscles and feet."""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import unknown
from mjx_assist.eval import bundle as bundles
from mjx_assist.eval.bundle import Bundle
from mjx_assist.sim import action, anatomy, foot_kinematics, observation
from mjx_assist.sim.assembly import FLOOR, full_model

MODEL_KINDS = ("reduced", "full", "composed")
_TOUCH = (("r_foot", "r_toes"), ("l_foot", "l_toes"))
_CONTACT_ROWS = (
    mujoco.mjtConstraint.mjCNSTR_CONTACT_FRICTIONLESS,
    mujoco.mjtConstraint.mjCNSTR_CONTACT_PYRAMIDAL,
    mujoco.mjtConstraint.mjCNSTR_CONTACT_ELLIPTIC,
)


@dataclass(frozen=True)
class BodyState:
    """What the observation reads, in the reduced model's order (see `sim.observation.observe`)."""

    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    sensordata: np.ndarray


@dataclass(frozen=True)
class GroundContact:
    """Force ``[2, 3]`` N on the (right, left) foot, normal load ``[2, (foot, toes)]`` N, centre of pressure ``[2, 3]``
    m (NaN where unloaded), free moment ``[2]`` N*m about the vertical through it."""

    force: np.ndarray
    load: np.ndarray
    center_of_pressure: np.ndarray
    free_moment: np.ndarray


class Walker:
    """Simulates one model of a bundle; everything in and out is in the reduced model's order.

    ``kind``: ``reduced`` as trained; ``full`` assist_sim's composition with rigid couplings; ``composed`` as it is.
    """

    def __init__(self, bundle: Bundle, kind: str = "reduced"):
        if kind not in MODEL_KINDS:
            raise unknown("--model", kind, MODEL_KINDS)
        self.reduced = bundles.reduced_model(bundle)
        self.kind = kind
        self.coupling = bundle.coupling
        if kind == "reduced":
            self.model = self.reduced
        else:
            self.model = full_model(bundle.human, bundle.device, "rigid" if kind == "full" else "composed")
        m = self.model
        self.data = mujoco.MjData(m)
        self.joint_names = observation.joint_names(self.reduced)
        self.actuator_names = observation.actuator_names(self.reduced)
        self.sensor_names = _sensor_columns(self.reduced)
        self.muscle = observation.is_muscle(self.reduced)
        self._qpos = np.array([m.joint(name).qposadr[0] for name in self.joint_names])
        self._ctrl = np.array([m.actuator(name).id for name in self.actuator_names])
        # each activation of the reduced model, in its order, and the muscles' among them
        self._act = np.array([m.actuator(name).actadr[0] for name in observation.activation_names(self.reduced)], int)
        self._muscle_act = action.muscle_activations(self.reduced)
        self._floor = m.geom(FLOOR).id
        self._height_offset = anatomy.height_offset(self.reduced)
        self._segment_of_geom = self._segments()
        self._feet = [self._body(f"{side}_foot_position", f"{side}_foot") for side in "rl"]
        self._toes = np.array([m.sensor(toes).objid[0] for _, toes in _TOUCH])
        self._bias_prm = [m.actuator_biasprm[i, :9].copy() for i in self._ctrl[self.muscle]]
        self.muscle_parameters = _muscle_parameters(m, self._ctrl[self.muscle])
        self._loads = np.array([[observation.sensor_slice(self.reduced, t).start for t in side] for side in _TOUCH])
        self.body_mass = float(m.body_subtreemass[0])

    def reset(self, qpos: np.ndarray, qvel: np.ndarray, activation: float) -> None:
        """Start from a reduced state; the full model is posed by `lift`, its couplings satisfied."""
        mujoco.mj_resetData(self.model, self.data)
        if self.kind == "reduced":
            self.data.qpos[:], self.data.qvel[:] = qpos, qvel
        else:
            self.data.qpos[:] = self.coupling.lift(qpos)
            self.data.qvel[:] = self.coupling.lift_velocity(qpos, qvel)
        self.data.act[self._act[self._muscle_act]] = activation

    def step(self, control: np.ndarray) -> None:
        """One physics step with controls in the reduced model's actuator order."""
        self.data.ctrl[self._ctrl] = control
        mujoco.mj_step(self.model, self.data)

    def state(self) -> BodyState:
        """The state as the policy's observation reads it; foot loads come from the contacts, as touch sensors feel."""
        sensors = np.zeros(self.reduced.nsensordata)
        if self.kind == "reduced":
            sensors[:] = self.data.sensordata
        elif self.data.time > 0:
            for side, forces in zip(self._loads, self.contact_forces()[1], strict=True):
                sensors[side] = forces
        return BodyState(self.data.qpos[self._qpos], self.data.qvel[self._qpos], self.data.act[self._act], sensors)

    def finite(self) -> bool:
        """Whether the simulation is still meaningful."""
        return bool(np.isfinite(self.data.qpos).all() and np.isfinite(self.data.qvel).all())

    def contact_forces(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the last step: ground reaction ``[2, 3]`` N on each foot (world), normal load ``[2, (foot, toes)]`` N."""
        contact = self.ground_contact()
        return contact.force, contact.load

    def ground_contact(self) -> GroundContact:
        """What the ground did to each foot in the last step; CoP and free moment after Winter (2009), section 5.2.4."""
        force, moment, load = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 2))
        wrench = np.zeros(6)
        for i in range(self.data.ncon):
            contact = self.data.contact[i]
            pair = contact.geom1, contact.geom2
            if self._floor not in pair or contact.efc_address < 0:
                continue
            other = pair[1] if pair[0] == self._floor else pair[0]
            segment = self._segment_of_geom.get(other)
            if segment is None:
                continue
            mujoco.mj_contactForce(self.model, self.data, i, wrench)
            sign = 1.0 if pair[0] == self._floor else -1.0  # of the force on the second geom
            on_foot, torque = sign * wrench.reshape(2, 3) @ contact.frame.reshape(3, 3)
            force[segment[0]] += on_foot
            moment[segment[0]] += torque + np.cross(contact.pos, on_foot)
            load[segment] += wrench[0]
        return GroundContact(force, load, *_center_of_pressure(force, moment))

    def joint_moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Generalised forces ``[J]`` of all actuators, and of the device alone, in the reduced coordinates (N*m, N)."""
        device = np.zeros(self.model.nv)
        for actuator in self._ctrl[~self.muscle]:
            device += self._moment_arms(actuator) * self.data.actuator_force[actuator]
        return self._to_reduced(self.data.qfrc_actuator), self._to_reduced(device)

    def passive_moments(self) -> np.ndarray:
        """Generalised forces ``[J]`` of springs, damping and every constraint but contact, in reduced coordinates."""
        m, d = self.model, self.data
        contact = np.zeros(m.nv)
        if d.nefc:
            ground = np.isin(d.efc_type, _CONTACT_ROWS)
            mujoco.mj_mulJacTVec(m, d, contact, np.where(ground, d.efc_force, 0.0))
        return self._to_reduced(d.qfrc_passive + d.qfrc_constraint - contact)

    def muscles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Path length (m), its velocity (m/s), tension and the tension that activation makes (N) of each muscle."""
        m, d = self.model, self.data
        ids = self._ctrl[self.muscle]
        length, tension = d.actuator_length[ids], -d.actuator_force[ids]
        passive = [
            -mujoco.mju_muscleBias(d.actuator_length[i], m.actuator_lengthrange[i], m.actuator_acc0[i], prm)
            for i, prm in zip(ids, self._bias_prm, strict=True)
        ]
        return length, d.actuator_velocity[ids], tension, np.maximum(tension - passive, 0.0)

    def center_of_mass(self) -> tuple[np.ndarray, np.ndarray]:
        """Position (m) and velocity (m/s) ``[3]`` of the whole body's centre of mass."""
        mujoco.mj_subtreeVel(self.model, self.data)
        return self.data.subtree_com[1].copy(), self.data.subtree_linvel[1].copy()

    def _moment_arms(self, actuator: int) -> np.ndarray:
        """``[nv]`` of an actuator in the model's own coordinates (m, 1)."""
        first, n = self.data.moment_rowadr[actuator], self.data.moment_rownnz[actuator]
        arms = np.zeros(self.model.nv)
        arms[self.data.moment_colind[first : first + n]] = self.data.actuator_moment[first : first + n]
        return arms

    def device_joints(self) -> tuple[str, ...]:
        """The reduced joint that each device actuator drives (the one with the largest moment arm)."""
        mujoco.mj_forward(self.model, self.data)
        names = []
        for actuator in self._ctrl[~self.muscle]:
            names.append(self.joint_names[int(np.abs(self._to_reduced(self._moment_arms(actuator))).argmax())])
        return tuple(names)

    def foot_positions(self) -> np.ndarray:
        """Heel-body origins ``[2, 3]`` in the world, m."""
        return np.stack([self.data.site_xpos[i] if is_site else self.data.xpos[i] for is_site, i in self._feet])

    def toe_positions(self) -> np.ndarray:
        """Centres ``[2, 3]`` of the forefoot's touch volumes in the world, m."""
        return self.data.site_xpos[self._toes].copy()

    def leg_length(self) -> float:
        """Height of the pelvis origin over the ground at the reference position, m (for dimensionless figures).

        Of a model without the keyframe: of its hip.
        """
        key = mujoco.mj_name2id(self.reduced, mujoco.mjtObj.mjOBJ_KEY, "stand")
        if key < 0:
            return foot_kinematics.leg_length(self.reduced)
        height = self.joint_names.index("pelvis_ty")
        return float(self.reduced.key_qpos[key][height]) + self._height_offset

    def height(self) -> float:
        """Of the root over the ground, m."""
        return float(self.data.qpos[self._qpos[self.joint_names.index("pelvis_ty")]]) + self._height_offset

    def muscle_activation(self) -> np.ndarray:
        """``[M]`` 0..1."""
        return self.data.act[self._act[self._muscle_act]]

    def _to_reduced(self, generalised: np.ndarray) -> np.ndarray:
        """Forces of the full coordinates on the reduced ones, by the couplings' slopes (virtual work)."""
        if self.kind == "reduced":
            return generalised.copy()
        slope = self.coupling.slope(self.data.qpos[self._qpos])
        out = np.zeros(len(self.joint_names))
        np.add.at(out, self.coupling.source, slope * generalised)
        return out

    def _segments(self) -> dict[int, tuple[int, int]]:
        """geom -> (side, part) for all geoms of the rigid segment that carries each touch sensor."""
        m = self.model
        segments = {}
        for side, names in enumerate(_TOUCH):
            for part, name in enumerate(names):
                site = m.sensor(name).objid[0]
                weld = m.body_weldid[m.site_bodyid[site]]
                for geom in np.flatnonzero(m.body_weldid[m.geom_bodyid] == weld):
                    segments[int(geom)] = (side, part)
        return segments

    def _body(self, sensor: str, touch: str) -> tuple[bool, int]:
        """(is a site, id) of a foot's heel-body origin: the position sensor's object, else the touch sensor's body."""
        m = self.model
        if mujoco.mj_name2id(m, mujoco.mjtObj.mjOBJ_SENSOR, sensor) >= 0:
            is_site = m.sensor(sensor).objtype[0] == mujoco.mjtObj.mjOBJ_SITE
            return bool(is_site), int(m.sensor(sensor).objid[0])
        return False, int(m.site_bodyid[m.sensor(touch).objid[0]])


def _center_of_pressure(force: np.ndarray, moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``[2, 3]`` m on the plane z = 0 and the free moment ``[2]`` N*m from forces and moments about the origin."""
    center = np.full((2, 3), np.nan)
    loaded = force[:, 2] > 0
    fx, fy, fz = force[loaded].T
    mx, my, mz = moment[loaded].T
    center[loaded] = np.stack([-my / fz, mx / fz, 0.0 * fz], axis=1)
    free = np.zeros(2)
    free[loaded] = mz - (center[loaded, 0] * fy - center[loaded, 1] * fx)
    return center, free


def _muscle_parameters(model: mujoco.MjModel, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Record fields of MuJoCo's muscle model (documentation, "Computation, muscle actuators"), each ``[M]``."""
    prm, span = model.actuator_gainprm[ids], model.actuator_lengthrange[ids]
    optimal = (span[:, 1] - span[:, 0]) / (prm[:, 1] - prm[:, 0])
    scaled = prm[:, 3] / np.maximum(model.actuator_acc0[ids], 1e-15)
    return {
        "muscle_max_force": np.where(prm[:, 2] >= 0, prm[:, 2], scaled),
        "muscle_optimal_length": optimal,
        "muscle_tendon_length": span[:, 0] - prm[:, 0] * optimal,
        "muscle_max_velocity": prm[:, 6].copy(),
    }


def _sensor_columns(model: mujoco.MjModel) -> tuple[str, ...]:
    """A name for each number of ``sensordata``: the sensor's own, with .x .y .z .w where it gives several."""
    names = []
    for sensor in range(model.nsensor):
        name, size = model.sensor(sensor).name, model.sensor_dim[sensor]
        names += [name] if size == 1 else [f"{name}.{axis}" for axis in "xyzw"[:size]]
    return tuple(names)
