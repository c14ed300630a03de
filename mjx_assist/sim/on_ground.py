"""Heights over the ground that an episode is on: where its walker starts, what is seen and judged of it.

`EpisodeRules` draws which ground that is. ``qpos`` and ``qvel`` here are the world's.
"""

from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.model.arrays import add
from mjx_assist.model.variation import Variation
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim import start_pose
from mjx_assist.terrain import heightfield


class GroundRules:
    """A config's ground under one walker; every method is pure. Episodes are those of `sim.episode`."""

    def __init__(
        self, params: EnvParams, model: mujoco.MjModel, gait: ReferenceGait, ground: heightfield.Terrain | None
    ):
        self.params, self.model, self.gait, self.terrain = params, model, gait, ground
        self._slopes = bool(params.randomization.slope) or bool(np.any(self._base_slopes()))
        self.uneven = self._slopes or ground is not None
        self._sole = start_pose.sole_table(model, gait) if self._slopes else None
        joints = [model.joint(j).name for j in range(model.njnt)]
        self._forward, self._up = joints.index("pelvis_tx"), joints.index("pelvis_ty")
        self._side = joints.index("pelvis_tz") if "pelvis_tz" in joints else None

    def on_ground(self, episode: Any, qpos: Any, qvel: Any, phase: Any, speed: Any, xp: Any = np) -> tuple:
        """The reference pose ``qpos`` and its velocity, standing on the ground where the episode starts."""
        if self._sole is None:  # level
            return qpos, qvel
        slope = episode.variation.slope
        rise = start_pose.lift(self._sole, self.gait, phase, speed, slope, xp)
        return self._raised(qpos, rise, xp), self._raised(qvel, slope * qvel[self._forward], xp)

    def over_ground(self, episode: Any, qpos: Any, xp: Any = np) -> Any:
        """``qpos`` with the pelvis' height taken over the ground under it."""
        if not self.uneven:
            return qpos
        return self._raised(qpos, -self._height(episode, qpos[self._forward], self._y(qpos, xp), xp), xp)

    def along_ground(self, episode: Any, qvel: Any, xp: Any = np) -> Any:
        """``qvel`` with the pelvis' rise taken relative to the slope."""
        return self._raised(qvel, -episode.variation.slope * qvel[self._forward], xp) if self._slopes else qvel

    def feet_over_ground(self, episode: Any, feet: Any, places: list, pelvis: Any, xp: Any = np) -> Any:
        """Feet ``[2, 2]`` (forward, up) from the pelvis, heights over the ground under each; places in the world."""
        if not self.uneven:
            return feet
        under = [self._height(episode, place[0], place[1], xp) for place in (*places, pelvis)]
        return add(feet, (slice(None), 1), -xp.stack(under[:2]) + under[2], xp)

    def heights_ahead(self, episode: Any, qpos: Any, xp: Any = np, heading: Any = None) -> Any:
        """Ground ``terrain_observation`` m before the pelvis, over that under it; None if it is not observed.
        ``heading``: rad, where before is; None: along x."""
        if not self.params.terrain_observation:
            return None
        places = np.array(self.params.terrain_observation)
        if not self.uneven:
            return xp.zeros(places.size)
        x, y = qpos[self._forward], self._y(qpos, xp)
        ahead = (x + places, y)
        if heading is not None:
            ahead = (x + xp.cos(heading) * places, y + xp.sin(heading) * places)
        return self._height(episode, *ahead, xp) - self._height(episode, x, y, xp)

    def _on_terrain(self, differs: Variation, scheduled: dict, uniform: Any, xp: Any) -> Variation:
        """The variation with the ground that a number uniform in 0..1 draws."""
        share = scheduled.get("terrain_amplitude", self.params.terrain_amplitude)
        count = heightfield.n_variants(self.params, self.model)
        variant = xp.minimum((uniform * count).astype(int), count - 1)
        if self._slopes:
            own = xp.zeros(()) if differs.slope is None else differs.slope
            differs = differs._replace(slope=own + heightfield.base_slope(self.params, share, variant, xp))
        if self.terrain is not None:
            lane = heightfield.lane_number(self.terrain, share, variant, xp)
            differs = differs._replace(lane=heightfield.lane_offset(self.terrain, lane, xp))
        return differs

    def _base_slopes(self) -> np.ndarray:
        variants = np.arange(heightfield.n_variants(self.params, self.model))
        return heightfield.base_slope(self.params, 1.0, variants)

    def _raised(self, coordinates: Any, by: Any, xp: Any) -> Any:
        """``qpos`` or ``qvel`` with something added to the pelvis' height."""
        return add(coordinates, self._up, by, xp)

    def _height(self, episode: Any, x: Any, y: Any, xp: Any) -> Any:
        differs = episode.variation
        return heightfield.height(self.terrain, differs.lane, differs.slope, x, y, xp)

    def _y(self, qpos: Any, xp: Any) -> Any:
        return xp.zeros(()) if self._side is None else -qpos[self._side]
