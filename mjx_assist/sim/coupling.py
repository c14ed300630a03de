"""Joint couplings: the full model's coordinates as polynomials of the reduced model's."""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.polynomial import polynomial

from mjx_assist.errors import UserError

_DEGREE = 4  # MuJoCo's joint equality is a quartic


@dataclass(frozen=True)
class Coupling:
    """Full qpos from reduced qpos: ``qpos_full[i] = sum_k polycoef[i, k] * qpos[source[i]]**k``."""

    full_joint_names: tuple[str, ...]  # one per full coordinate
    source: np.ndarray  # int [nq_full], index into the reduced qpos
    polycoef: np.ndarray  # [nq_full, 5]

    def lift(self, qpos: np.ndarray) -> np.ndarray:
        """Reduced qpos [..., nq] -> full qpos [..., nq_full], every coupling satisfied."""
        q = np.asarray(qpos, dtype=float)[..., self.source]
        c = self.polycoef
        return c[:, 0] + q * (c[:, 1] + q * (c[:, 2] + q * (c[:, 3] + q * c[:, 4])))

    def slope(self, qpos: np.ndarray) -> np.ndarray:
        """d qpos_full[i] / d qpos[source[i]], [..., nq_full]."""
        q = np.asarray(qpos, dtype=float)[..., self.source]
        c = self.polycoef
        return c[:, 1] + q * (2 * c[:, 2] + q * (3 * c[:, 3] + q * 4 * c[:, 4]))

    def lift_velocity(self, qpos: np.ndarray, qvel: np.ndarray) -> np.ndarray:
        """Reduced qpos and qvel [..., nq] -> full qvel [..., nq_full]."""
        return self.slope(qpos) * np.asarray(qvel, dtype=float)[..., self.source]


def independent_joints(full: mujoco.MjModel) -> list[int]:
    """Ids of the joints that no active joint equality drives: the reduced model's joints, in its order."""
    coupled = {int(full.eq_obj1id[e]) for e in np.flatnonzero(full.eq_active0)}
    return [joint for joint in range(full.njnt) if joint not in coupled]


def read_coupling(full: mujoco.MjModel) -> Coupling:
    """The couplings that the full model's active joint equalities state. Raises ``UserError`` for what is not one."""
    free = [i for i in range(full.njnt) if full.jnt_type[i] in (mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_BALL)]
    if free:
        raise UserError(f"cannot reduce: joint {full.joint(free[0]).name!r} is neither a hinge nor a slide.")
    rows = {}
    for e in np.flatnonzero(full.eq_active0):
        if full.eq_type[e] != mujoco.mjtEq.mjEQ_JOINT:
            raise UserError(f"cannot reduce: equality {full.equality(e).name or e!r} does not couple joints.")
        rows[int(full.eq_obj1id[e])] = (int(full.eq_obj2id[e]), full.eq_data[e, : _DEGREE + 1])
    index = {joint: k for k, joint in enumerate(independent_joints(full))}
    source = np.zeros(full.nq, dtype=int)
    polycoef = np.zeros((full.nq, _DEGREE + 1))
    for joint in range(full.njnt):
        if joint in index:
            source[joint], polycoef[joint, 1] = index[joint], 1.0
            continue
        driver, coef = rows[joint]
        if driver >= 0 and driver not in index:
            names = full.joint(joint).name, full.joint(driver).name
            raise UserError(f"cannot reduce: joint {names[0]!r} follows {names[1]!r}, which is coupled itself.")
        shifted = np.array([coef[0]])
        if driver >= 0:  # (q - q0) -> q
            source[joint] = index[driver]
            power = np.array([1.0])
            for k in range(1, _DEGREE + 1):
                power = polynomial.polymul(power, [-full.qpos0[driver], 1.0])
                shifted = polynomial.polyadd(shifted, coef[k] * power)
        polycoef[joint, : len(shifted)] = shifted
        polycoef[joint, 0] += full.qpos0[joint]
    return Coupling(tuple(full.joint(i).name for i in range(full.njnt)), source, polycoef)
