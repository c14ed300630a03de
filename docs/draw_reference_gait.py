"""Draws docs/images/reference_gait.png: the reference gait on the full skeleton, as stick figures, and over its band.

Usage: MUJOCO_GL=osmesa python docs/draw_reference_gait.py [-o FILE]   (egl with a GPU)
"""

import argparse
from pathlib import Path

import matplotlib

from mjx_assist.reference.cycle import ReferenceGait, sample, stride_frequency
from mjx_assist.reference.published import adults, healthy_band
from mjx_assist.terrain.heightfield import FLOOR

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mujoco
import numpy as np

from mjx_assist.model import assembly
from mjx_assist.model.reduction import reduce_model
from mjx_assist.reference import healthy

SPEED = 1.25
PHASES = np.arange(10) / 10
ANGLES = (("hip_flexion", "hip flexion"), ("knee_angle", "knee (flexion negative)"), ("ankle_angle", "ankle"))


def skeletons(full: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    """[height, width, 3] picture: the full model from its right side in each pose, the ground as a line."""
    width, height, shown = 390, 640, 1.8  # pixels, m from top to bottom
    full.vis.global_.offwidth, full.vis.global_.offheight = width, height
    full.vis.global_.orthographic, full.vis.global_.fovy = 1, shown
    full.geom(FLOOR).rgba[3] = 0.0
    camera, option, data = mujoco.MjvCamera(), mujoco.MjvOption(), mujoco.MjData(full)
    camera.azimuth, camera.elevation, camera.lookat[:] = 90, 0, (-0.05, 0.0, 0.47 * shown)
    option.geomgroup[4] = 0
    frames = []
    with mujoco.Renderer(full, height, width) as renderer:
        for pose in qpos:
            data.qpos[:] = pose
            mujoco.mj_forward(full, data)
            renderer.update_scene(data, camera, option)
            frame = renderer.render().copy()
            frame[np.all(frame == 0, axis=-1)] = 255
            ground = round(height * 0.97)
            frame[ground : ground + 2] = 0
            frames.append(frame)
    return np.concatenate(frames, axis=1)


def sticks(axes, model: mujoco.MjModel, gait: ReferenceGait) -> None:
    """Stick figures every 10 % of two strides as they are walked over the ground; right leg red, left blue."""
    phase = np.arange(0, 2.0001, 0.1)
    qpos, _, _ = sample(gait, phase, SPEED)
    qpos[:, 0] = phase * SPEED / stride_frequency(gait, SPEED)
    data = mujoco.MjData(model)
    for pose in qpos:
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        hip = data.xanchor[model.joint("hip_flexion_r").id]
        trunk = hip + 0.55 * data.xmat[model.jnt_bodyid[model.joint("pelvis_tilt").id]].reshape(3, 3)[:, 2]
        axes.plot(*np.stack([hip, trunk])[:, [0, 2]].T, color="0.6", lw=1)
        for side, color in (("l", "tab:blue"), ("r", "tab:red")):
            joints = [model.joint(f"{name}_{side}").id for name in ("hip_flexion", "knee_angle", "ankle_angle")]
            points = [data.xanchor[joint] for joint in joints]
            spheres = [data.geom(f"{side}_{name}").xpos for name in ("foot_1", "toes_1", "toes_2")]
            line = np.stack([*points, *spheres])[:, [0, 2]]
            axes.plot(*line.T, color=color, lw=1.2)
    axes.axhline(0, color="k", lw=0.8)
    axes.set(
        aspect="equal",
        xlabel="m",
        ylim=(-0.05, 1.5),
        title=f"two strides at {SPEED} m/s, every 10 %: right red, left blue",
    )


def curves(axes, model: mujoco.MjModel, gait: ReferenceGait) -> None:
    """Joint angles of the right leg over the published band, and adults who are in no fit, at the reference's mean."""
    phase, group = np.linspace(0, 1, 201), adults("natural")
    for ax, (joint, title) in zip(axes, ANGLES, strict=True):
        percent, mean, sd = healthy_band(joint, SPEED, model)
        ax.fill_between(percent, mean - sd, mean + sd, color="0.85", label=f"published, {SPEED} m/s, ± 1 SD")
        for speed, style in ((0.75, ":"), (SPEED, "-"), (1.75, "--")):
            qpos, _, _ = sample(gait, phase, speed)
            angle = np.degrees(qpos[:, gait.joint_names.index(f"{joint}_r")])
            ax.plot(100 * phase, angle, "k" + style, label=f"reference, {speed} m/s")
        shown, theirs = sample(gait, np.arange(20) / 20, group.speed)[0], group.angles[joint]
        ours = np.degrees(shown[:, gait.joint_names.index(f"{joint}_r")])
        label = f"adults (Bovi 2011), {group.speed:.2f} m/s"
        ax.plot(np.arange(0, 101, 5), theirs + (ours - theirs[:-1]).mean(), "o", ms=3, color="tab:green", label=label)
        ax.set(title=title, xlabel="% of gait cycle", ylabel="deg", xlim=(0, 100))
    axes[0].legend(fontsize=7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "images" / "reference_gait.png")
    output = parser.parse_args().output
    reduced = reduce_model("myolegs22", "Tutorial_L1")
    model = reduced.model
    gait = healthy.healthy_gait(model)
    figure = plt.figure(figsize=(13, 11))
    rows = figure.add_gridspec(3, 3, height_ratios=(0.8, 1.3, 0.9))
    strip = figure.add_subplot(rows[0, :])
    poses, _, _ = sample(gait, PHASES, SPEED)
    strip.imshow(skeletons(assembly.full_model("myolegs22", "Tutorial_L1"), reduced.coupling.lift(poses)))
    width = strip.get_xlim()[1] / len(PHASES)
    strip.set(
        yticks=[], xticks=(np.arange(len(PHASES)) + 0.5) * width, xticklabels=[f"{100 * p:.0f} %" for p in PHASES]
    )
    strip.set_title("the full model in the reference's poses; 0 % is the right foot's initial contact")
    sticks(figure.add_subplot(rows[1, :]), model, gait)
    curves([figure.add_subplot(rows[2, column]) for column in range(3)], model, gait)
    figure.tight_layout()
    figure.savefig(output, dpi=90)


if __name__ == "__main__":
    main()
