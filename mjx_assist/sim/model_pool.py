"""C MuJoCo's models for a batch of walkers that differ from each other: a copy each, written to when one changes."""

import copy

import mujoco
import numpy as np

from mjx_assist.sim.variation import Variation, write

Layout = tuple[tuple[str, tuple[int, ...]], ...]  # names of a variation's fields and the shapes of one walker's


class VariedModels:
    """A pool of models, one for each walker of a batch, written to where the walker's variation changes (a reset)."""

    def __init__(self, base: mujoco.MjModel, layout: Layout):
        self._base, self._layout = base, layout
        self._ends = np.cumsum([int(np.prod(shape, dtype=int)) for _, shape in layout])
        self._models: list[mujoco.MjModel] = []
        self._rows = np.empty((0, int(self._ends[-1])), np.float32)

    def of(self, rows: np.ndarray) -> list[mujoco.MjModel]:
        """The models of variations ``[batch, n]``."""
        if not self._models:
            self._models = [copy.copy(self._base) for _ in rows]
            self._rows = np.full(rows.shape, np.nan, np.float32)
        for walker in np.flatnonzero((rows != self._rows).any(axis=1)):
            parts = np.split(rows[walker].astype(float), self._ends[:-1])
            values = {name: part.reshape(shape) for (name, shape), part in zip(self._layout, parts, strict=True)}
            write(self._base, self._models[walker], Variation(**values))
        self._rows = rows.copy()
        return self._models
