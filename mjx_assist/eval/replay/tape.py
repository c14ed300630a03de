"""Records a walk: each sample only copies arrays; the columns of the gait record are computed once, at the end."""

from collections.abc import Mapping
from types import MappingProxyType

import mujoco
import numpy as np

from mjx_assist.config.words import REDUCED
from mjx_assist.eval.replay.straight import along_heading
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.model.muscles import fibres
from mjx_assist.reference.cycle import ReferenceGait, sample
from mjx_assist.sim.heading import Frame, Root

_FIRST_CONTACT = int(mujoco.mjtConstraint.mjCNSTR_CONTACT_FRICTIONLESS)  # the contact kinds are the last ones
_LIMIT = int(mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT)
_NOWHERE: Mapping[str, float] = MappingProxyType({})
_MOMENTS = ("joint_moment", "passive_moment", "limit_moment")


class Tape:
    """Samples of one walker's physics steps, in the reduced model's order: the state each begins with, its forces."""

    def __init__(self, walker: Walker):
        self._walker = walker
        self._contacts = walker.contact_tape()
        self._samples: list[dict] = []

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, control: np.ndarray, target: float, phase: float, placed: Mapping[str, float] = _NOWHERE) -> None:
        """One sample of the last step, under controls ``[nu]``, target speed (m/s) and gait clock (cycles). ``placed``:
        of a walk that turns, the fields of its `Frame` and ``rate``."""
        w, m, d = self._walker, self._walker.model, self._walker.data
        mujoco.mj_subtreeVel(m, d)
        self._contacts.add(d)
        self._samples.append(
            {
                "time": w.begun.time,
                "phase": phase,
                "target_velocity": target,
                "qpos": w.begun.qpos,
                "qvel": w.begun.qvel,
                "activation": w.begun.activation,
                "excitation": control[w.muscle],
                "muscle_length": d.actuator_length[w.muscle_ids],
                "muscle_velocity": d.actuator_velocity[w.muscle_ids],
                "muscle_force": -d.actuator_force[w.muscle_ids],
                "joint_moment": d.qfrc_actuator.copy(),
                "device_moment": w.device_generalised(),
                "passive_moment": d.qfrc_passive + _constraints(m, d, d.efc_type < _FIRST_CONTACT),
                "limit_moment": _constraints(m, d, d.efc_type == _LIMIT),
                "foot_position": w.foot_positions(),
                "toe_position": w.toe_positions(),
                "toe_tip": w.toe_tips(),
                "com_position": d.subtree_com[1].copy(),
                "com_velocity": d.subtree_linvel[1].copy(),
                "sensors": d.sensordata.copy(),
                **placed,
            }
        )

    def columns(self, gait: ReferenceGait, root: Root | None = None) -> dict[str, np.ndarray]:
        """The record's fields over time, by name, and its muscle parameters. ``root``: of a walk that turns."""
        w = self._walker
        out = {name: np.array([row[name] for row in self._samples]) for name in self._samples[0]}
        for name in _MOMENTS:
            out[name] = w.to_reduced(out["qpos"], out[name])
        of_each = w.to_reduced(out["qpos"][:, None], out["device_moment"])  # [T, D, J]
        contact = self._contacts.decode()
        passive = passive_tension(w.model, w.muscle_ids, out["muscle_length"])
        way, side, rate = (out.pop(name, None) for name in ("way", "side", "rate"))
        found = {
            **out,
            **muscle_parameters(w.model, w.muscle_ids),
            "reference_qpos": sample(gait, out["phase"], out["target_velocity"])[0],
            "muscle_active_force": np.maximum(out["muscle_force"] - passive, 0.0),
            "device_moment": of_each.sum(1),
            "device_torque": w.about_driven(of_each),
            "ground_reaction": contact.force,
            "center_of_pressure": contact.center_of_pressure,
            "free_moment": contact.free_moment,
            **{f"{part}_ground": self._under(out[f"{part}_position"]) for part in ("foot", "com")},
            "sensors": out["sensors"] if w.kind == REDUCED else w.sensors_from(contact.load),
        }
        if root is None or rate is None:
            return found
        height = out["qpos"][:, w.joint_names.index("pelvis_ty")]
        place = np.stack([out["qpos"][:, root.forward], -out["qpos"][:, root.side], height], axis=1)
        frame = Frame(out["heading"], way, side)
        return along_heading(found, root, frame, rate) | {"pelvis_place": place}

    def _under(self, places: np.ndarray) -> np.ndarray:
        """Height ``[...]`` m of the ground under places ``[..., 3]`` m."""
        return self._walker.ground_at(places[..., 0], places[..., 1])


def muscle_parameters(model: mujoco.MjModel, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Record fields of MuJoCo's muscle model (documentation, "Computation, muscle actuators"), each ``[M]``."""
    found = fibres.fibres(model, ids)
    recorded = ("max_force", "optimal_length", "tendon_length", "max_velocity")
    return {f"muscle_{name}": getattr(found, name) for name in recorded}


def passive_tension(model: mujoco.MjModel, ids: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Tension ``[T, M]`` N of the parallel elastic element at path lengths ``[T, M]`` m, as mju_muscleBias.

    Quadratic from the optimal length to halfway to ``lmax``, straight beyond (MuJoCo's FLV.m, passive force).
    """
    prm, span = model.actuator_biasprm[ids], model.actuator_lengthrange[ids]
    optimal = (span[:, 1] - span[:, 0]) / (prm[:, 1] - prm[:, 0])
    half = 0.5 * (prm[:, 5] - 1.0)
    stretch = np.maximum((prm[:, 0] + (length - span[:, 0]) / optimal - 1.0) / half, 0.0)
    share = np.where(stretch <= 1.0, 0.5 * stretch**2, stretch - 0.5)
    return fibres.max_force(model, ids, prm) * prm[:, 7] * share


def _constraints(model: mujoco.MjModel, data: mujoco.MjData, which: np.ndarray) -> np.ndarray:
    """Generalised forces ``[nv]`` of some of the constraints ``[nefc]``."""
    out = np.zeros(model.nv)
    if which.any():
        mujoco.mj_mulJacTVec(model, data, out, np.where(which, data.efc_force, 0.0))
    return out
