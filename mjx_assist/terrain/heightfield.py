"""Rough ground: one heightfield with lanes side by side along y, put into a model, and how high it is at a place.

An env is put on its lane by moving the ground along y (`sim.variation`), never the walker. What lies in the lanes is
in terrain_kinds.py.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.terrain.kinds import NODE, Kind, kinds

FLOOR = "floor"  # the geom that is the ground, in every model
ROWS = 11  # difficulties 0, 0.1 .. 1 where the curriculum sets terrain_amplitude
_VARIANTS = {"planar": 16, "spatial": 4}  # lanes of each difficulty
_WIDTH = {"planar": 0.6, "spatial": 4.0}  # m: a planar walker's feet lie within 0.2 m of its plane
_BEHIND, _AHEAD = 3.0, 80.0  # m from the start: 33 s at 1.9 m/s are 63 m
_BESIDE = 40.0  # m of ground behind and beside the lanes of a walker that turns: 20 s at 1.9 m/s are 38 m
_EDGE = 0.5  # m over which its lanes end level at their sides, so that it meets no step where it crosses them
_LEVEL = 1.0  # m around the start that is at height 0
_GRAIN = 1e-5  # m: heights are whole numbers of it, so that they are the same in text and in every float
_DEPTH = 0.5  # m of ground below the lowest point
_HFIELD = "terrain"
_TILT_STEPS = 5  # each divides the error by 1 / (steepness of the ground x slope): 30 at 17 and 6 degrees


@dataclass(frozen=True)
class Terrain:
    """Heights ``[Y, X]`` m over the ground's own x and y (m, of the nodes, evenly ``spacing`` apart).

    Lane ``row * n_variants + variant`` is ``lane_width`` wide; its heights are the share ``row / (n_rows - 1)`` of the
    variant's (one row: ``terrain_amplitude``).
    """

    heights: np.ndarray
    spacing: float
    first_x: float
    lane_width: float
    n_rows: int
    n_variants: int

    @property
    def end(self) -> float:
        """Where the ground ends, m from the start."""
        return self.first_x + (self.heights.shape[1] - 1) * self.spacing

    @property
    def first_y(self) -> float:
        """y of the first row of nodes, m; the ground's middle is y = 0."""
        return -0.5 * (self.heights.shape[0] - 1) * self.spacing


class Ground(NamedTuple):
    """What one walker stands on: heights (None: a plane), turned by ``slope`` (tangent), moved by ``lane`` (m, y)."""

    terrain: Terrain | None = None
    slope: float = 0.0
    lane: float | None = None

    def height(self, x: Any, y: Any) -> Any:
        """Height of the ground at places of the world, m."""
        return height(self.terrain, self.lane, self.slope, x, y)


LEVEL_GROUND = Ground()


def make_terrain(params: Any, model: mujoco.MjModel, turns: bool = False) -> Terrain | None:
    """The ground of a config's ``env_params`` for a walker; None where a plane does (see `base_slope`). ``turns``: for
    one that leaves its lane: level ground around them all.

    Heights come from ``params.seed`` and the variant's number alone. Raises ``UserError`` as `terrain_kinds.kinds`.
    """
    found = kinds(params)
    rough = [kind for kind in found if kind.heights is not None]
    if not rough:
        return None
    spacing = NODE / math.ceil(NODE / min(kind.spacing for kind in rough) - 1e-9)
    across = max(2, round(_WIDTH[_space(model)] / spacing))
    x = np.arange(-round((_BESIDE if turns else _BEHIND) / spacing), round(_AHEAD / spacing) + 1) * spacing
    y = (np.arange(across) - 0.5 * (across - 1)) * spacing
    count = n_variants(params, model)
    lanes = np.stack(
        [_lane(found[v % len(found)], x, y, np.random.default_rng([params.seed, v])) for v in range(count)]
    )
    if turns:
        lanes = lanes * _smooth(np.clip((0.5 * across * spacing - np.abs(y)) / _EDGE, 0.0, 1.0))[:, None]
    shares = np.linspace(0, 1, ROWS) if scheduled(params) else np.array([params.terrain_amplitude])
    heights = (shares[:, None, None, None] * lanes).reshape(-1, x.size)
    if turns:
        heights = np.pad(heights, ((round(_BESIDE / spacing),) * 2, (0, 0)))
    heights = np.round(heights / _GRAIN) * _GRAIN
    return Terrain(heights, spacing, float(x[0]), across * spacing, shares.size, count)


def scheduled(params: Any) -> bool:
    """Whether the curriculum sets ``terrain_amplitude``."""
    changes = params.curriculum
    return changes is not None and "terrain_amplitude" in {**changes.by_level, **changes.by_step}


def n_variants(params: Any, model: mujoco.MjModel) -> int:
    """How many grounds of one difficulty there are: of each kind the same number."""
    count = len(kinds(params))
    return math.ceil(_VARIANTS[_space(model)] / count) * count


def base_slope(params: Any, share: Any, variant: Any, xp: Any = np) -> Any:
    """Tangent of the plane that a variant's ground lies on (``slope``; uphill positive), at a share of it."""
    slopes = np.array([kind.slope for kind in kinds(params)])
    return share * xp.asarray(slopes)[variant % slopes.size]


def lane_number(terrain: Terrain, share: Any, variant: Any, xp: Any = np) -> Any:
    """The lane of a variant (0 .. n_variants - 1) whose difficulty is nearest to a share of the amplitude (0..1)."""
    row = xp.clip(xp.round(xp.asarray(share) * (terrain.n_rows - 1)), 0, terrain.n_rows - 1).astype(int)
    return row * terrain.n_variants + variant


def lane_offset(terrain: Terrain, lane: Any, xp: Any = np) -> Any:
    """How far along y (m) the ground is moved to put this lane's middle at y = 0."""
    middle = 0.5 * (terrain.n_rows * terrain.n_variants - 1)
    return (middle - xp.asarray(lane)) * terrain.lane_width


def height(terrain: Terrain | None, lane: Any, slope: Any, x: Any, y: Any, xp: Any = np) -> Any:
    """Height of the ground (m, world) at world places ``x``, ``y`` (m); all arguments broadcast.

    ``lane``: y by which the ground is moved, ``slope``: tangent by which it is tilted about the world's y axis (both as
    in `sim.variation`; None: 0). Exactly MuJoCo's surface: each cell is two triangles that share the diagonal from its
    lowest to its highest x and y. Beyond its ends the ground goes on at the height of its edge (in a model it ends).
    """
    slope = 0.0 if slope is None else slope
    if terrain is None:
        return slope * x + 0.0 * y
    y = y if lane is None else y - lane
    if isinstance(slope, float) and slope == 0.0:
        return _interpolate(terrain, x, y, xp)
    cos = 1.0 / xp.sqrt(1.0 + slope**2)
    along = x * cos
    for _ in range(_TILT_STEPS):  # the ground's own x is where its surface, tilted, is at the world's
        along = x / cos + slope * _interpolate(terrain, along, y, xp)
    return along * slope * cos + _interpolate(terrain, along, y, xp) * cos


def _interpolate(terrain: Terrain, x: Any, y: Any, xp: Any) -> Any:
    heights = xp.asarray(terrain.heights)
    rows, columns = heights.shape
    column = xp.clip((x - terrain.first_x) / terrain.spacing, 0, columns - 1)
    row = xp.clip((y - terrain.first_y) / terrain.spacing, 0, rows - 1)
    column, row = xp.broadcast_arrays(column, row)
    i, j = (xp.clip(xp.floor(a).astype(int), 0, n - 2) for a, n in ((row, rows), (column, columns)))
    u, v = column - j, row - i
    near, far = heights[i, j], heights[i + 1, j + 1]
    corner = xp.where(u >= v, heights[i, j + 1], heights[i + 1, j])
    return near + (far - corner) * xp.minimum(u, v) + (corner - near) * xp.maximum(u, v)


def with_ground(xml: str, terrain: Terrain | None) -> str:
    """The MJCF text with the heightfield in the place of its plane named ``floor``; contact pairs stay."""
    if terrain is None:
        return xml
    spec = mujoco.MjSpec.from_string(xml)
    put_ground(spec, terrain)
    spec.compile()
    return spec.to_xml()


def put_ground(spec: mujoco.MjSpec, terrain: Terrain) -> None:
    """Make the floor of a spec the heightfield."""
    lowest, (rows, columns) = terrain.heights.min(), terrain.heights.shape
    counts = np.round((terrain.heights - lowest) / _GRAIN)
    length, width = (columns - 1) * terrain.spacing, (rows - 1) * terrain.spacing
    size = [0.5 * length, 0.5 * width, max(counts.max(), 1.0) * _GRAIN, _DEPTH]
    spec.add_hfield(name=_HFIELD, nrow=rows, ncol=columns, size=size, userdata=counts.ravel())
    floor = next(geom for geom in spec.geoms if geom.name == FLOOR)
    floor.type, floor.hfieldname = mujoco.mjtGeom.mjGEOM_HFIELD, _HFIELD
    floor.pos = [terrain.first_x + 0.5 * length, 0.0, lowest]


def _space(model: mujoco.MjModel) -> str:
    """Whether the walker can leave its plane."""
    return "planar" if mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, "pelvis_tz") < 0 else "spatial"


def _lane(kind: Kind, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heights ``[Y, X]`` of a lane, 0 within `_LEVEL` of the start and smoothly risen where the safe zone ends."""
    if kind.heights is None:
        return np.zeros((y.size, x.size))
    share = np.clip((np.abs(x) - _LEVEL) / max(kind.safe_zone - _LEVEL, 1e-9), 0.0, 1.0)
    return kind.heights(x, y, rng) * share**2 * (3.0 - 2.0 * share)


def _smooth(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 with level ends."""
    return share**2 * (3.0 - 2.0 * share)
