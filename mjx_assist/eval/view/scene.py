"""The full skeleton to look at: assist_sim's composition with the ground it walks on, a sky and light, posed by `lift`.

Nothing is simulated here; muscles are coloured by their activation.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model import variation
from mjx_assist.model.assembly import compose
from mjx_assist.terrain.heightfield import FLOOR, LEVEL_GROUND, Ground, Terrain, put_ground

RELAXED, ACTIVE = np.array([0.45, 0.50, 0.62, 1.0]), np.array([0.85, 0.07, 0.10, 1.0])
MUSCLE_WIDTH = 0.008  # m
EYE = 0.9  # m over the ground that a camera looks at
_PICTURE_SIZE = 1024  # pixels a side that offscreen rendering may use at most


class Scene:
    """``model`` and ``data`` to draw from; `pose` sets what is seen, `stand_on` another part of the same ground."""

    def __init__(self, human: str, device: str, muscles: Sequence[str], ground: Ground = LEVEL_GROUND):
        spec = _dressed(compose(human, device))
        if ground.terrain is not None:
            put_ground(spec, ground.terrain)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._base, self.ground = copy.copy(self.model), LEVEL_GROUND._replace(terrain=ground.terrain)
        self.stand_on(ground)
        self._tendons = np.array([self.model.actuator(name).trnid[0] for name in muscles], int)

    def pose(self, qpos: np.ndarray, activation: np.ndarray) -> None:
        """Put the skeleton at full coordinates ``[nq_full]`` with muscle activations ``[muscles]`` 0..1."""
        self.data.qpos[:] = qpos
        share = np.clip(activation, 0.0, 1.0)[:, None]
        self.model.tendon_rgba[self._tendons] = (1.0 - share) * RELAXED + share * ACTIVE
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        mujoco.mj_tendon(self.model, self.data)

    def stand_on(self, ground: Ground) -> None:
        """Turn and move the ground; its heights are those that the scene was made with."""
        if ground[1:] != self.ground[1:]:
            self.ground = ground
            turned = variation.Variation(slope=np.asarray(ground.slope), lane=ground.lane)
            variation.write(self._base, self.model, turned)

    @property
    def place(self) -> np.ndarray:
        """Where the walker is ``[3]`` m: on the ground under its centre of mass, in the middle of its way."""
        along = float(self.data.subtree_com[0][0])
        return np.array([along, 0.0, float(self.ground.height(along, 0.0))])


def side_camera(place: np.ndarray, distance: float = 2.6) -> mujoco.MjvCamera:
    """A camera at the walker's right side, level, looking over a place of its way; forward is right in the picture."""
    camera = mujoco.MjvCamera()
    camera.lookat[:] = place + np.array([0.0, 0.0, EYE])
    camera.distance, camera.azimuth, camera.elevation = distance, 90.0, -4.0
    return camera


def packed(ground: Ground) -> dict[str, Any]:
    """A ground as arrays for another process, which `unpacked` reads."""
    lane = np.nan if ground.lane is None else ground.lane
    arrays: dict[str, Any] = {"ground_slope": np.asarray(ground.slope), "ground_lane": np.asarray(lane)}
    if ground.terrain is not None:
        parts = vars(ground.terrain)
        arrays |= {f"ground_{name}": np.asarray(part) for name, part in parts.items()}
    return arrays


def unpacked(arrays: Mapping[str, np.ndarray]) -> Ground:
    """The ground of `packed` arrays."""
    lane = float(arrays["ground_lane"])
    terrain = None
    if "ground_heights" in arrays:
        parts: dict[str, Any] = {field.name: arrays[f"ground_{field.name}"] for field in fields(Terrain)}
        terrain = Terrain(**{name: part if part.ndim else part.item() for name, part in parts.items()})
    return Ground(terrain, float(arrays["ground_slope"]), None if np.isnan(lane) else lane)


def _dressed(spec: mujoco.MjSpec) -> mujoco.MjSpec:
    """Give a composition a checkered ground, a plain sky and soft light."""
    spec.add_texture(
        name="view/sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.96, 0.97, 0.98],
        rgb2=[0.80, 0.85, 0.90],
        width=64,
        height=64,
    )
    spec.add_texture(
        name="view/ground",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.86, 0.87, 0.89],
        rgb2=[0.76, 0.78, 0.81],
        width=512,
        height=512,
    )
    ground = spec.add_material(name="view/ground", texrepeat=[1, 1], texuniform=True)
    ground.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "view/ground"
    floor = next(geom for geom in spec.worldbody.geoms if geom.name == FLOOR)
    floor.material, floor.rgba = "view/ground", [1, 1, 1, 1]
    light = spec.worldbody.add_light(pos=[0, -1, 5], dir=[0.1, 0.2, -1], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    light.diffuse, light.castshadow = [0.4, 0.4, 0.4], True
    spec.visual.headlight.ambient = [0.45, 0.45, 0.45]
    spec.visual.headlight.diffuse = [0.4, 0.4, 0.4]
    for tendon in spec.tendons:
        tendon.width = MUSCLE_WIDTH
    spec.visual.global_.offwidth = spec.visual.global_.offheight = _PICTURE_SIZE
    return spec
