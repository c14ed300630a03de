"""The full and the reduced model side by side, each from the side and from the front, with their muscle paths.

Rendering runs in a process of its own, as in pictures.py: a broken OpenGL can take a process down with it.
"""

import sys
import tempfile
from pathlib import Path

import matplotlib
import mujoco
import numpy as np
from matplotlib.figure import Figure

from mjx_assist.errors import UserError
from mjx_assist.eval.plots.style import STYLE, png
from mjx_assist.eval.view import strip
from mjx_assist.files.atomic import write_bytes
from mjx_assist.model.assembly import AS_COMPOSED, full_model
from mjx_assist.model.feet.sole import lowest
from mjx_assist.model.human_key import short
from mjx_assist.model.reduction import ReducedModel
from mjx_assist.terrain.heightfield import FLOOR

WIDTH, HEIGHT, SHOWN = 640, 900, 2.0  # pixels; m from top to bottom
_VIEWS = {"side": 90.0, "front": 180.0}  # azimuth of the camera, deg
_BONE_RADIUS, _BONE, _SOLE = 0.011, [0.38, 0.46, 0.56, 1.0], [0.25, 0.62, 0.45, 1.0]
_MUSCLE, _MUSCLE_WIDTH = [0.82, 0.10, 0.12, 1.0], 0.004
_GHOST = 0.22  # of the full skeleton behind the reduced one
_FIGURE_HEIGHT = 5.4  # inches
_SHORTEST = 0.005  # m, of a bone that is drawn


def side_by_side(reduced: ReducedModel, path: str | Path) -> None:
    """Write a PNG: what the full model is made of, and what of it the reduced model keeps, in the same pose.

    Raises:
        UserError: nothing here can render, or the file cannot be written.
    """
    sides, fronts = (_cropped(views) for views in np.moveaxis(_render(reduced), 1, 0))
    full = full_model(reduced.human, reduced.device, AS_COMPOSED)
    with matplotlib.rc_context(STYLE):
        shape = np.array([2 * (sides.shape[2] + fronts.shape[2]), max(sides.shape[1], fronts.shape[1])])
        size = _FIGURE_HEIGHT * shape[0] / shape[1], _FIGURE_HEIGHT * 1.12
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(f"{short(reduced.human)} with {reduced.device}", fontsize=12)
        halves = figure.subfigures(1, 2, squeeze=False)[0]
        for k, (half, name, model) in enumerate(zip(halves, ("Full", "Reduced"), (full, reduced.model), strict=True)):
            half.suptitle(f"{name}: {_size(model)}", fontsize=9)
            cells = half.subplots(1, 2, width_ratios=(sides.shape[2], fronts.shape[2]))
            for axes, image in zip(cells, (sides[k], fronts[k]), strict=True):
                axes.imshow(image)
                axes.set_axis_off()
    write_bytes(path, png(figure, dpi=150))


def _size(model: mujoco.MjModel) -> str:
    points = int((model.wrap_type == mujoco.mjtWrap.mjWRAP_SITE).sum())
    return f"{model.nv} DoF, {model.neq} equalities, {model.nbody - 1} bodies, {points} path points"


def _cropped(images: np.ndarray) -> np.ndarray:
    """Pictures [N, height, width, 3] without the white around what any of them shows."""
    rows, columns = (np.flatnonzero((images < 255).any(axis=axes)) for axes in ((0, 2, 3), (0, 1, 3)))
    margin = round(0.02 * HEIGHT)
    left, right = max(columns[0] - margin, 0), columns[-1] + margin
    return images[:, max(rows[0] - margin, 0) : rows[-1] + margin, left:right]


def _render(reduced: ReducedModel) -> np.ndarray:
    """Pictures ``[2 (full, reduced), views, HEIGHT, WIDTH, 3]``."""
    qpos = _pose(reduced.model)
    with tempfile.TemporaryDirectory() as folder:
        request, result = Path(folder) / "request.npz", Path(folder) / "result.npy"
        muscle = reduced.model.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON
        np.savez(
            request,
            human=reduced.human,
            device=reduced.device,
            xml=reduced.xml,
            muscles=np.array([reduced.model.actuator(int(a)).name for a in np.flatnonzero(muscle)], dtype=str),
            qpos=qpos,
            qpos_full=reduced.coupling.lift(qpos),
        )
        if not strip.render_elsewhere("mjx_assist.eval.view.models", request, result):
            raise UserError("nothing here can render: MuJoCo needs OpenGL by EGL (a GPU) or OSMesa (libosmesa6).")
        return np.load(result, allow_pickle=False)


def _pose(model: mujoco.MjModel) -> np.ndarray:
    """A walking keyframe, standing if there is none, or qpos0."""
    names = [model.key(k).name for k in range(model.nkey)]
    for start in ("walk", "stand"):
        for k, name in enumerate(names):
            if name.startswith(start):
                return model.key_qpos[k].copy()
    return model.qpos0.copy()


def _render_request(request: Path, result: Path) -> None:
    """Draw a request's two models; run in a process of its own."""
    strip.check_gl()

    from mjx_assist.eval.view.scene import ACTIVE, Scene

    with np.load(request, allow_pickle=False) as requested:
        scene = Scene(str(requested["human"]), str(requested["device"]), [str(name) for name in requested["muscles"]])
        scene.pose(requested["qpos_full"], np.ones(len(requested["muscles"])))
        scene.model.tendon_rgba[:] = ACTIVE
        scene.model.tendon_width[:] = _MUSCLE_WIDTH
        reduced = _visible(str(requested["xml"])).compile()
        data = mujoco.MjData(reduced)
        data.qpos[:] = requested["qpos"]
    mujoco.mj_forward(reduced, data)
    middle = np.array([*scene.data.subtree_com[0][:2], lowest(scene.model, scene.data) + 0.485 * SHOWN])
    full_images, _ = draw(scene.model, scene.data, middle, muscles=True)
    bones, _ = draw(scene.model, scene.data, middle, muscles=False)
    images, seen = draw(reduced, data, middle, muscles=True)
    ghost = (255 - _GHOST * (255.0 - bones)).astype(np.uint8)
    np.save(result, np.stack([full_images, np.where(seen[..., None], images, ghost)]))


def draw(model: mujoco.MjModel, data: mujoco.MjData, middle: np.ndarray, muscles: bool, shown: float = SHOWN):
    """Pictures [views, HEIGHT, WIDTH, 3] on white, and where something is seen, bool [views, HEIGHT, WIDTH].

    ``shown``: m from top to bottom.
    """
    model.vis.global_.offwidth, model.vis.global_.offheight = WIDTH, HEIGHT
    model.vis.global_.orthographic, model.vis.global_.fovy = 1, shown
    model.vis.headlight.ambient[:], model.vis.headlight.diffuse[:] = 0.45, 0.5
    model.geom(FLOOR).rgba[3], model.geom(FLOOR).matid[0] = 0.0, -1
    option, camera = mujoco.MjvOption(), mujoco.MjvCamera()
    option.flags[mujoco.mjtVisFlag.mjVIS_TENDON] = muscles
    option.sitegroup[:] = 0
    images, seen = [], []
    with mujoco.Renderer(model, HEIGHT, WIDTH) as renderer:
        for azimuth in _VIEWS.values():
            camera.azimuth, camera.elevation, camera.lookat[:], camera.distance = azimuth, 0.0, middle, 3.0
            renderer.update_scene(data, camera, option)
            image = renderer.render().copy()
            renderer.enable_segmentation_rendering()
            found = renderer.render()[..., 0]
            renderer.disable_segmentation_rendering()
            seen.append(found >= 0)
            image[~seen[-1]] = 255
            images.append(image)
    return np.stack(images), np.stack(seen)


def _visible(xml: str) -> mujoco.MjSpec:
    """The reduced model with bones from joint to joint, so that there is something to see."""
    model = mujoco.MjModel.from_xml_string(xml)
    spec = mujoco.MjSpec.from_string(xml)
    for geom in spec.geoms:
        if geom.name != FLOOR:
            geom.rgba = _SOLE
    for tendon in spec.tendons:
        tendon.rgba, tendon.width = _MUSCLE, _MUSCLE_WIDTH
    for body in range(1, model.nbody):
        start = _anchor(model, body)
        for end in _ends(model, body):
            if np.linalg.norm(end - start) > _SHORTEST:
                bone = spec.body(model.body(body).name).add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, rgba=_BONE)
                bone.fromto, bone.size[0], bone.mass = [*start, *end], _BONE_RADIUS, 0.0
                bone.contype = bone.conaffinity = 0
    return spec


def _anchor(model: mujoco.MjModel, body: int) -> np.ndarray:
    """Where the body's last joint is, in its own frame."""
    return (
        model.jnt_pos[model.body_jntadr[body] + model.body_jntnum[body] - 1] if model.body_jntnum[body] else np.zeros(3)
    )


def _ends(model: mujoco.MjModel, body: int) -> list[np.ndarray]:
    """What a body's bones lead to, in its frame: its children's joints, its soles; else its centre of mass."""
    ends = []
    for child in np.flatnonzero(model.body_parentid == body):
        turned = np.zeros(3)
        mujoco.mju_rotVecQuat(turned, _anchor(model, int(child)), model.body_quat[child])
        ends.append(model.body_pos[child] + turned)
    ends += [model.geom_pos[g] for g in np.flatnonzero(model.geom_bodyid == body)]
    return ends if ends and model.body_parentid[body] else [*ends, model.body_ipos[body]]


if __name__ == "__main__":
    _render_request(Path(sys.argv[1]), Path(sys.argv[2]))
