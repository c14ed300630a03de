"""What is laid over the picture of a walk: arrows of the ground reaction, and numbers in words."""

import mujoco
import numpy as np
from matplotlib.colors import to_rgba

from mjx_assist.eval.gait.angles import JOINT_TITLES, MOMENT_SIGNS
from mjx_assist.eval.plots.style import COLORS
from mjx_assist.eval.replay.gauge import Reading
from mjx_assist.eval.replay.record import SIDES

METRES_PER_NEWTON = 1e-3  # of an arrow: body weight reaches about as high as the hip
ARROW_WIDTH = 0.012  # m
SIDE_COLORS = np.array([to_rgba(COLORS[side]) for side in SIDES])  # as in the plots
_LEAST_N = 20.0  # a smaller force has no arrow


def arrows(force: np.ndarray, center: np.ndarray) -> np.ndarray:
    """``[2, 2, 3]`` m: where the (right, left) foot's arrow starts, on the ground, and ends; NaN for an unloaded foot.

    ``force [2, 3]`` N and its centre of pressure ``center [2, 3]`` m, as in a `Reading`.
    """
    start = np.where(force[:, 2:] > _LEAST_N, center, np.nan)
    return np.stack([start, start + METRES_PER_NEWTON * force], axis=1)


def add_arrows(scene: mujoco.MjvScene, ends: np.ndarray) -> None:
    """Add the arrows ``[2, 2, 3]`` of `arrows` to the geometry of a MuJoCo scene, as far as it has room."""
    for (start, end), color in zip(ends, SIDE_COLORS, strict=True):
        if np.isnan(start).any() or scene.ngeom >= scene.maxgeom:
            continue
        geom = scene.geoms[scene.ngeom]
        arrow = mujoco.mjtGeom.mjGEOM_ARROW
        mujoco.mjv_initGeom(geom, arrow, np.zeros(3), np.zeros(3), np.zeros(9), color.astype(np.float32))
        mujoco.mjv_connector(geom, arrow, ARROW_WIDTH, start, end)
        geom.size[2] *= 2.0  # MuJoCo draws half of an arrow's length
        scene.ngeom += 1


def status(reading: Reading, device_joints: tuple[str, ...], device_on: bool) -> list[tuple[str, str]]:
    """(label, value) of what a person reads while watching."""
    rows = [
        ("speed", f"{_number(reading.speed, '.2f')} m/s"),
        ("target", f"{reading.target:.2f} m/s"),
        ("cadence", f"{_number(reading.cadence, '.0f')} steps/min"),
    ]
    if device_joints:
        torque = zip(device_joints, shown_torque(reading.torque, device_joints), strict=True)
        torques = ", ".join(f"{_title(joint)} {round(value, 1) + 0.0:.1f}" for joint, value in torque)
        rows.append(("device torque" if device_on else "device (off)", f"{torques} N m"))
    return rows


def shown_torque(torque: np.ndarray, device_joints: tuple[str, ...]) -> np.ndarray:
    """Device torques ``[..., D]`` N*m, positive where they extend a joint or push the foot down."""
    return torque * [MOMENT_SIGNS.get(_stem(joint), (1, ""))[0] for joint in device_joints]


def torque_lines(device_joints: tuple[str, ...]) -> list[tuple[str, str]]:
    """(label, colour) of each device joint's line in a plot: "ankle r, plantarflexion"."""
    directions = [MOMENT_SIGNS.get(_stem(joint), (1, "torque"))[1] for joint in device_joints]
    colors = [COLORS["left" if joint.endswith("_l") else "right"] for joint in device_joints]
    labels = [f"{_title(joint)}, {direction}" for joint, direction in zip(device_joints, directions, strict=True)]
    return list(zip(labels, colors, strict=True))


def _stem(joint: str) -> str:
    """``ankle_angle_r`` as "ankle_angle"."""
    return joint[:-2] if joint[-2:] in ("_r", "_l") else joint


def _title(joint: str) -> str:
    """``ankle_angle_r`` as "ankle r"."""
    return joint.replace(_stem(joint), JOINT_TITLES.get(_stem(joint), _stem(joint))).replace("_", " ")


def _number(value: float, form: str) -> str:
    return "-" if np.isnan(value) else format(value, form)
