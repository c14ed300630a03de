"""Which designs are walked next: evenly spread ones, then generations of CMA-ES; and the file that it resumes from.

It simulates nothing: ``walk`` says what came of designs. The same seed asks for the same designs, so that a search goes
on by asking again and taking from the file what was walked before."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.config.design_study import FELL, FIGURES, DesignStudy
from mjx_assist.errors import UserError
from mjx_assist.files.logs import append_row
from mjx_assist.files.untrusted import parse_json, read_bytes
from mjx_assist.lab.surface import evenly

STATE = "designs.jsonl"
NAMES = tuple(FIGURES)
_LOST = 1e3  # the objective of a design with which nobody walks to the end
_PENALTY = 10.0  # of the objective's size, for a constraint that is broken by its own size
_SIGMA = 0.2  # of CMA-ES at its start, in units of a parameter's range
Walk = Callable[[np.ndarray], np.ndarray]  # designs [n, d] in 0..1 -> [policies, n, seeds, figures]


@dataclass(frozen=True, eq=False)
class Walked:
    """Designs ``unit [n, d]`` in 0..1 and what came of them, ``figures [policies, n, seeds, figures]``."""

    unit: np.ndarray
    figures: np.ndarray

    def joined(self, other: "Walked") -> "Walked":
        figures = np.concatenate([self.figures, other.figures], axis=1)
        return Walked(np.concatenate([self.unit, other.unit]), figures)


def means(figures: np.ndarray) -> dict[str, np.ndarray]:
    """Figure -> ``[n]`` mean over policies and over seeds that walked to the end; NaN where none did."""
    flat = figures.transpose(1, 0, 2, 3).reshape(figures.shape[1], -1, figures.shape[-1])
    known = np.isfinite(flat)
    total = np.where(known, flat, 0.0).sum(axis=1)
    return dict(
        zip(NAMES, np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan).T, strict=True)
    )


def objective(study: DesignStudy, figures: np.ndarray) -> np.ndarray:
    """``[n]`` the weighted sum that is to be small, without penalties; NaN where nobody walked to the end."""
    mean = means(figures)
    return np.sum([weight * mean[name] for name, weight in study.objective.items()], axis=0)


def broken(study: DesignStudy, figures: np.ndarray) -> np.ndarray:
    """``[n]`` by how much the constraints are broken, in units of their limits (of 1 where that is 0)."""
    mean = means(figures)
    excess = [(mean[name] - most) / (abs(most) or 1.0) for name, most in study.constraints.items()]
    return (
        np.sum([np.maximum(np.nan_to_num(x, nan=0.0), 0.0) for x in excess], axis=0)
        if excess
        else np.zeros(len(mean[FELL]))
    )


def penalised(study: DesignStudy, figures: np.ndarray) -> np.ndarray:
    """``[n]`` what CMA-ES sees: finite for every design."""
    value = objective(study, figures)
    size = max(1.0, float(np.nanmedian(np.abs(value)))) if np.isfinite(value).any() else 1.0
    penalty = _PENALTY * size * broken(study, figures)
    return np.where(np.isfinite(value), value, _LOST * size) + penalty


def search(study: DesignStudy, fixed: np.ndarray, walk: Walk) -> Iterator[Walked]:
    """Generations of designs and what came of them, `study.designs` in all or until CMA-ES finds nothing better.

    ``fixed [d]``: a parameter's place in 0..1 that is held; NaN where it is searched.
    """
    free = np.flatnonzero(np.isnan(fixed))

    def walked(part: np.ndarray) -> Walked:
        unit = np.tile(fixed, (len(part), 1))
        unit[:, free] = part
        return Walked(unit, walk(unit))

    spread = max(4, round(study.explored * study.designs))
    places = evenly(len(free), spread, np.random.default_rng(study.seed))
    value, done = np.zeros(0), 0
    for start in range(0, spread, 8 * study.population):
        found = walked(places[start : start + 8 * study.population])
        value, done = np.r_[value, penalised(study, found.figures)], done + len(found.unit)
        yield found
    if done + study.population > study.designs:
        return
    strategy = _strategy(places[value.argmin()], study)
    while done + study.population <= study.designs and not strategy.stop():
        asked = np.clip(np.array(strategy.ask()), 0.0, 1.0)
        found = walked(asked[:, : len(free)])
        strategy.tell(list(asked), penalised(study, found.figures).tolist())
        done += len(asked)
        yield found


def remembering(walk: Walk, path: Path, head: dict) -> Walk:
    """``walk`` that takes from the file what an earlier call walked, and adds to it what is new.

    ``head``: what the walks depend on.

    Raises:
        UserError: the file is of other walks, or cannot be written.
    """
    known = _read(path, head)
    if not known:
        _append(path, head)

    def remembered(unit: np.ndarray) -> np.ndarray:
        keys = [row.tobytes() for row in unit]
        missing = [i for i, key in enumerate(keys) if key not in known]
        if missing:
            found = walk(unit[missing])
            _append(path, {"unit": unit[missing].tolist(), "figures": _with_none(found)})
            known.update((keys[i], found[:, k]) for k, i in enumerate(missing))
        return np.stack([known[key] for key in keys], axis=1)

    known.pop(b"", None)
    return remembered


def check_installed() -> None:
    """Raises `UserError` where CMA-ES is not installed: before anything is walked."""
    if importlib.util.find_spec("cma") is None:
        raise UserError("optimize needs the package cma: pip install 'mjx-assist[lab]'.")


def _strategy(begin: np.ndarray, study: DesignStudy) -> Any:
    import cma

    if len(begin) == 1:  # cma is for two and more
        begin = np.r_[begin, 0.5]
    options = {"bounds": [0.0, 1.0], "popsize": study.population, "seed": study.seed + 1, "verbose": -9}
    return cma.CMAEvolutionStrategy(begin.tolist(), _SIGMA, options)


def _read(path: Path, head: dict) -> dict[bytes, np.ndarray]:
    """Design's bytes -> ``[policies, seeds, figures]``; b"" stands for the head. A last half line is left out."""
    if not path.exists():
        return {}
    known: dict[bytes, np.ndarray] = {}
    text = read_bytes(path, f"state {str(path)!r}").decode("utf-8", errors="replace")
    for number, line in enumerate(text.splitlines()):
        try:
            row = parse_json(line)
        except ValueError:
            continue
        if number == 0:
            _check_head(path, row, head)
            known[b""] = np.zeros(0)
        elif isinstance(row, dict) and "unit" in row:
            figures = np.array(row["figures"], float)
            known.update((np.array(u, float).tobytes(), figures[:, i]) for i, u in enumerate(row["unit"]))
    return known


def _check_head(path: Path, row: dict, head: dict) -> None:
    for key, value in head.items():
        if row.get(key) != value:
            raise UserError(
                f"{str(path)!r} holds walks of another study: {key} was {row.get(key)!r} and would be {value!r}. "
                "Choose another folder, or remove it."
            )


def _append(path: Path, row: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    append_row(path, row)


def _with_none(figures: np.ndarray) -> list:
    """As JSON: null where a walk fell."""
    made = figures.astype(object)
    made[~np.isfinite(figures)] = None
    return made.tolist()
