"""A walk as a gait laboratory records it, in closed form: published angles and forces at 1.25 m/s, 78.6 kg, along x."""

import numpy as np

from mjx_assist.files.opensim_table import is_length
from mjx_assist.model.names import GRAVITY
from mjx_assist.reference.published import healthy_band

SPEED, STRIDE, MASS, RATE, SECONDS = 1.25, 1.12, 78.6, 100.0, 4.5
TIME = 2.0 + np.arange(round(SECONDS * RATE)) / RATE
STANCE, WIDTH, FOOT = 0.62, 0.09, 0.2
FORCE = [f"ground_force_{kind}{axis}" for kind in "vp" for axis in "xyz"]
TORQUE = [f"ground_torque_{axis}" for axis in "xyz"]


def curve(quantity, phase):
    percent, mean, _ = healthy_band(quantity, SPEED)
    return np.interp(100 * (phase % 1), percent, mean)


def phase_of(side):
    return 0.2 + (TIME - TIME[0]) / STRIDE + (0.0 if side == "r" else 0.5)


def angles():
    """Coordinates in OpenSim's signs, degrees and metres."""
    columns = {
        "pelvis_tx": 3.0 + SPEED * (TIME - TIME[0]),
        "pelvis_ty": 0.9 + 0.02 * np.cos(4 * np.pi * phase_of("r")),
        "pelvis_tilt": -3.0 + np.cos(4 * np.pi * phase_of("r")),
    }
    for side in "rl":
        for joint in ("hip_flexion", "knee_angle", "ankle_angle"):
            columns[f"{joint}_{side}"] = curve(joint, phase_of(side))
    return columns


_EVERY = np.linspace(0, 1, 2000, endpoint=False)
_SUPPORT = np.where(_EVERY < STANCE, np.maximum(curve("grf_vertical", _EVERY), 0.05), 0.0)
BODY_WEIGHTS = 1 / (2 * _SUPPORT.mean())  # by which the published forces bear exactly one body
WEIGHT = BODY_WEIGHTS * MASS * GRAVITY


def plate(side):
    """(force [T, 3] N, point [T, 3] m, torque [T, 3] N*m) under a foot, in OpenSim's axes."""
    phase = phase_of(side)
    within = phase % 1
    on = within < STANCE
    force = np.zeros((TIME.size, 3))
    force[:, 1] = np.where(on, WEIGHT * np.maximum(curve("grf_vertical", phase), 0.05), 0)
    force[:, 0] = np.where(on, WEIGHT * curve("grf_anterior", phase), 0)
    pelvis_at_contact = 3.0 + SPEED * (TIME - TIME[0] - within * STRIDE)
    point = np.zeros((TIME.size, 3))
    point[:, 0] = np.where(on, pelvis_at_contact + 0.25 + FOOT * within / STANCE, 0)
    point[:, 2] = np.where(on, WIDTH if side == "r" else -WIDTH, 0)
    torque = np.zeros((TIME.size, 3))
    torque[:, 1] = np.where(on, 3 * np.sin(np.pi * within / STANCE), 0)
    return force, point, torque


def labelled(arrays, form="{}", kinds=("ground_force_v", "ground_force_p", "ground_torque_")):
    """Columns of a plate; ``form`` puts the foot or plate into each label."""
    pairs = zip(kinds, arrays, strict=True)
    return {form.format(kind + axis): a[:, i] for kind, a in pairs for i, axis in enumerate("xyz")}


def forces(right="{}", left="1_{}", change=lambda array: array):
    """Both plates' columns, every array changed alike."""
    both = ((right, "r"), (left, "l"))
    return {k: c for form, side in both for k, c in labelled([change(a) for a in plate(side)], form).items()}


def write(path, columns, name="Coordinates", head="version=1\ninDegrees=yes", time=TIME, mark="\t"):
    """A .mot or .sto of columns."""
    lines = [name, *head.splitlines(), f"nRows={len(time)}", f"nColumns={len(columns) + 1}", "endheader"]
    table = np.column_stack([time, *columns.values()])
    rows = [mark.join(f"{value:.9g}" for value in row) for row in table]
    path.write_text("\n".join([*lines, mark.join(["time", *columns]), *rows]) + "\n")
    return path


def write_forces(path, columns, time=TIME, name="Ground reactions"):
    return write(path, columns, name, "version=1\ninDegrees=no", time)


def radians(columns):
    return {k: c if is_length(k) else np.radians(c) for k, c in columns.items()}
