"""Kinds of ground: heights over a grid of places, as a config's ``terrain_type`` and ``terrain_params`` or ``terrain``
describe them. Lanes, models and queries are in terrain.py.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from mjx_assist.errors import UserError, unknown

FLAT, RANDOM, WAVES, SLOPE = "flat", "random", "harmonic_sinusoidal", "slope"
_KINDS = {FLAT: "no numbers", RANDOM: "amplitude", WAVES: "groups of four", SLOPE: "the tangent"}
_WAVE = ("amplitude_row", "period_row", "amplitude_col", "period_col")
NODE = 0.2  # m between the random heights: with 6 cm a mean step of 2 cm, slopes up to 17 degrees
_NODES_PER_WAVE = 10  # at least: chords of a sine then miss it by 5 % of the amplitude
_FINE = 0.05  # m between the nodes that a course is sampled at: its steps become ramps of that length
_SAFE_ZONE = 3.0  # m, as MyoAssist's
Surface = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of ground.

    ``heights(x [X], y [Y], rng)`` gives ``[Y, X]`` m over a lane whose middle is y = 0 (None: a plane); its nodes need
    to be at most ``spacing`` m apart. ``slope``: the tangent of the plane that it lies on. ``safe_zone``: how far from
    the start (m) the heights begin to be full.
    """

    heights: Surface | None = None
    spacing: float = NODE
    slope: float = 0.0
    safe_zone: float = _SAFE_ZONE


def kinds(params: Any) -> tuple[Kind, ...]:
    """The kinds of ground that a config's ``env_params`` name, in order; lanes take them in turn.

    Raises:
        UserError: an unknown kind, numbers that do not fit it, or what myoassist-terrains refuses.
    """
    if not 0 <= params.terrain_amplitude <= 1:
        raise UserError(f"config key 'env_params.terrain_amplitude': must lie in 0..1, got {params.terrain_amplitude}.")
    names = (params.terrain_type,) if isinstance(params.terrain_type, str) else params.terrain_type
    if params.terrain is not None:
        if names != (FLAT,):
            raise UserError(
                f"config keys 'env_params.terrain' and 'env_params.terrain_type' ({params.terrain_type!r}): "
                "give one of them."
            )
        return (_of_package(params.terrain),)
    if not names:
        raise UserError("config key 'env_params.terrain_type': must name at least one kind of ground.")
    given = params.terrain_params
    each = (given,) if len(names) == 1 and not _texts(given) else given
    if isinstance(each, str | float) or len(each) != len(names):
        raise UserError(
            f"config key 'env_params.terrain_params': need a text of numbers for each of {list(names)}, got {given!r}."
        )
    return tuple(_kind(name, _numbers(text)) for name, text in zip(names, each, strict=True))


def _texts(given: Any) -> bool:
    """Whether these are the numbers of several kinds, a text each."""
    return isinstance(given, tuple) and any(isinstance(x, str) for x in given)


def _numbers(given: Any) -> tuple[float, ...]:
    try:
        return tuple(float(x) for x in (given.split() if isinstance(given, str) else np.atleast_1d(given)))
    except ValueError:
        raise UserError(f"config key 'env_params.terrain_params': must be numbers, got {given!r}.") from None


def _kind(name: str, numbers: tuple[float, ...]) -> Kind:
    if name not in _KINDS:
        raise unknown("config key 'env_params.terrain_type'", name, _KINDS)
    count = len(numbers)
    fits = {FLAT: count == 0, RANDOM: count == 1, WAVES: count > 0 and count % 4 == 0, SLOPE: count == 1}
    if not fits[name] or not np.isfinite(numbers).all():
        wanted = f"{_KINDS[name]} ({' '.join(_WAVE)})" if name == WAVES else _KINDS[name]
        raise UserError(f"config key 'env_params.terrain_params': {name!r} takes {wanted}, got {list(numbers)}.")
    if name == FLAT:
        return Kind()
    if name == SLOPE:
        return Kind(slope=numbers[0])
    if name == RANDOM:
        _positive("amplitude", numbers[0], or_zero=True)
        return Kind(_random(numbers[0]))
    waves = np.reshape(numbers, (-1, 4))
    for wave in waves:
        for key, value in zip(_WAVE, wave, strict=True):
            _positive(key, value, or_zero=key.startswith("amplitude"))
    used = [wave[i + 1] for wave in waves for i in (0, 2) if wave[i] > 0]
    return Kind(_waves(waves), min(used, default=math.inf) / _NODES_PER_WAVE)


def _positive(key: str, value: float, or_zero: bool) -> None:
    if value < 0 or (value == 0 and not or_zero):
        words = "0 or more" if or_zero else "positive"
        raise UserError(f"config key 'env_params.terrain_params': {key} must be {words}, got {value:g}.")


def _random(amplitude: float) -> Surface:
    """Heights drawn uniformly from 0..amplitude every `NODE` m, linear between them (MyoAssist: in every cell)."""

    def heights(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        nodes = [np.arange(math.floor(a[0] / NODE), math.ceil(a[-1] / NODE - 1e-9) + 2) * NODE for a in (y, x)]
        drawn = rng.uniform(0.0, amplitude, [n.size for n in nodes])
        return RegularGridInterpolator(nodes, drawn)(tuple(np.meshgrid(y, x, indexing="ij")))

    return heights


def _waves(waves: np.ndarray) -> Surface:
    """Sines across the lane (row) and along it (col), each from a random phase, the lowest point at 0."""

    def heights(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        across, along = np.zeros(y.size), np.zeros(x.size)
        for (row, row_period, col, col_period), phase in zip(
            waves, rng.uniform(0, 2 * np.pi, (len(waves), 2)), strict=True
        ):
            across += row * np.sin(2 * np.pi * y / row_period + phase[0])
            along += col * np.sin(2 * np.pi * x / col_period + phase[1])
        return across[:, None] - across.min() + along - along.min()

    return heights


def _of_package(tree: dict) -> Kind:
    """A config of the package myoassist-terrains: its course begins under the walker and repeats along the way.

    Each lane runs along the middle of one of its rows of tiles, or along a line of its own over a uniform surface. Its
    safe zone is the lanes' own.
    """
    from myoassist_terrains.config import UniformTerrainConfig, config_from_dict
    from myoassist_terrains.surface import TerrainSurface

    try:
        config = config_from_dict(tree)
        uniform = isinstance(config, UniformTerrainConfig)
        if uniform and config.terrain in (FLAT, SLOPE):
            return Kind(slope=math.tan(math.radians(config.deg)) if config.terrain == SLOPE else 0.0)
        safe_zone = config.safe_zone_radius if uniform else _SAFE_ZONE
        surface = TerrainSurface(dataclasses.replace(config, safe_zone_radius=0.0) if uniform else config)
        surface.height_at(0.0, 0.0)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"config key 'env_params.terrain': myoassist-terrains says: {error}") from None
    if uniform:
        length = width = config.extent
        middles = None
    else:
        tile, gap, grid = config.grid.tile_size, config.border.width, config.grid
        length, width = (n * (t + gap) - gap for n, t in zip((grid.cols, grid.rows), tile, strict=True))
        middles = (np.arange(grid.rows) - 0.5 * (grid.rows - 1)) * (tile[1] + gap)

    def heights(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        middle = rng.uniform(-0.5, 0.5) * (width - np.ptp(y)) if middles is None else rng.choice(middles)
        own = np.round(x % length, 6)
        columns, back = np.unique(own, return_inverse=True)
        one = np.array([[surface.height_at(a - 0.5 * length, b) for a in columns] for b in y + middle])
        return one[:, back]

    spacing = config.extent / (config.resolution - 1) if uniform else _FINE
    return Kind(heights, max(spacing, _FINE), safe_zone=safe_zone)
