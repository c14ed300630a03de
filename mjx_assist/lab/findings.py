"""What a search over a family of devices found, as JSON data: optimum, intervals, surfaces, front; in sentences too."""

import itertools
from typing import TYPE_CHECKING

import numpy as np

from mjx_assist.config.design_study import COST, DEVICE_POWER, FELL
from mjx_assist.config.family import DeviceFamily
from mjx_assist.eval.replay.design import said
from mjx_assist.eval.studies import trainings
from mjx_assist.files.plain import plain
from mjx_assist.lab import surface as surfaces
from mjx_assist.lab.search import NAMES, Walked, broken, means, objective

if TYPE_CHECKING:
    from mjx_assist.lab.optimize import Lab

SCHEMA_VERSION = 1
AT_BOUND = 0.02  # of its range: a parameter nearer to an end is at it
_LINE, _GRID = 61, 25
_APART = 0.02  # m/s: speeds that differ by more are told
_FEWEST = 8  # designs that walked: of fewer no surface is drawn


def nothing(family: DeviceFamily, lab: "Lab", at: np.ndarray) -> np.ndarray | None:
    """The design like ``at`` that makes no torque; None where the family has none."""
    pushes = ("peak_torque", "stiffness_nm_per_rad")
    if any(not family.span(name)[0] <= 0.0 <= family.span(name)[1] for name in pushes):
        return None
    return np.where(np.isnan(off := lab.unit({n: 0.0 for n in pushes if n in family.free})), at, off)


def result(lab: "Lab", fixed: np.ndarray, everything: Walked, fresh: Walked, has_nothing: bool, head: dict) -> dict:
    """What design.json holds. ``fresh``: the best designs, and last the one that does nothing, from other seeds."""
    study, value = lab.study, objective(lab.study, everything.figures)
    good = np.isfinite(value) & (broken(study, everything.figures) == 0)
    searched = np.flatnonzero(np.isnan(fixed))
    best = fresh.unit[0]
    found = {
        "schema_version": SCHEMA_VERSION,
        **head,
        "policy_names": lab.names,
        "parameters": [_parameter(lab, name, i in searched) for i, name in enumerate(lab.family.free)],
        "torque_unit": lab.family.torque_unit,
        "joint": lab.family.joint,
        "objective": study.objective,
        "constraints": study.constraints,
        "designs": len(everything.unit),
        "feasible": int(good.sum()),
        "fresh_seeds": fresh.figures.shape[2],
        "best": [_best(lab, fresh, i, has_nothing) for i in range(len(fresh.unit) - has_nothing)],
        "nothing": _figures(fresh, -1) if has_nothing else None,
        "surfaces": _surfaces(lab, everything, searched, best) if good.sum() >= _FEWEST else None,
        "front": _front(lab, everything, good, fresh if has_nothing else None),
        "walked": {"value": value, "good": good, "unit": everything.unit, "means": means(everything.figures)},
    }
    found = plain(_lists(found))
    return {**found, "findings": _sentences(found), "notes": _notes(found, lab)}


def _parameter(lab: "Lab", name: str, searched: bool) -> dict:
    low, high = lab.family.span(name)
    return {"name": name, "low": low, "high": high, "searched": searched}


def _best(lab: "Lab", fresh: Walked, index: int, has_nothing: bool) -> dict:
    unit = fresh.unit[index]
    searched = {name for name in lab.family.free if name not in {**lab.study.design, **lab.family.design}}
    ends = zip(lab.family.free, unit, strict=True)
    at = [name for name, u in ends if name in searched and min(u, 1 - u) < AT_BOUND]
    saving = _saving(fresh, index) if has_nothing else None
    return {"design": lab.design(unit), "at_bound": at, "figures": _figures(fresh, index), "saving": saving}


def _figures(fresh: Walked, index: int) -> dict:
    """Figure -> mean and limits: over trainings where there are several, else over the walks' seeds."""
    values = fresh.figures[:, index]  # [policies, seeds, figures]
    found = {name: _interval(values[..., k]) for k, name in enumerate(NAMES)}
    found[FELL] |= {"low": None, "high": None}  # a share has no t interval
    return found


def _interval(values: np.ndarray) -> dict:
    """Of ``[policies, seeds]``: mean, and the t interval over the policies' means, of one policy over its seeds."""
    by = [float(np.nanmean(row)) for row in values if np.isfinite(row).any()]
    units = by if len(values) > 1 else [float(x) for x in values.ravel() if np.isfinite(x)]
    if not units:
        return {"mean": None, "low": None, "high": None}
    mean, low, high = trainings.mean(units)
    return {"mean": mean, "low": low, "high": high}


def _saving(fresh: Walked, index: int) -> dict:
    """By how many percent the metabolic power is lower than without torque: each walk against the same seed's."""
    power = fresh.figures[..., NAMES.index(COST)]
    share = 100.0 * (1.0 - power[:, index] / power[:, -1])
    return {
        **_interval(share),
        "by_policy": [float(np.nanmean(row)) if np.isfinite(row).any() else None for row in share],
    }


def _surfaces(lab: "Lab", everything: Walked, searched: np.ndarray, best: np.ndarray) -> dict:
    """The objective over each parameter and each pair, through the best design; and where its optimum may lie."""
    rng, at = np.random.default_rng(lab.study.seed), []
    for policy in range(len(lab.bundles)):
        value = objective(lab.study, everything.figures[policy : policy + 1])
        fine = np.isfinite(value) & (broken(lab.study, everything.figures[policy : policy + 1]) == 0)
        if fine.sum() >= _FEWEST:
            unit = everything.unit[fine][:, searched]
            at.append(surfaces.lowest(surfaces.fit(unit, value[fine]), unit[value[fine].argmin()], rng))
    value = objective(lab.study, everything.figures)
    fine = np.isfinite(value) & (broken(lab.study, everything.figures) == 0)
    surface = surfaces.fit(everything.unit[fine][:, searched], value[fine])
    names = [lab.family.free[i] for i in searched]
    here = best[searched]
    lines = [_line(surface, here, k, lab.family.span(name)) for k, name in enumerate(names)]
    pairs = [
        _pair(surface, here, i, j, lab.family.span(names[i]), lab.family.span(names[j]))
        for i, j in itertools.combinations(range(len(names)), 2)
    ]
    ends = np.percentile(np.concatenate(at or [here[None]]), [2.5, 50.0, 97.5], axis=0).T
    low, high = np.array([lab.family.span(name) for name in names]).T
    places = [(low[k] + (high[k] - low[k]) * ends[k]) for k in range(len(names))]
    optimum = [{"name": n, "low": p[0], "median": p[1], "high": p[2]} for n, p in zip(names, places, strict=True)]
    noise = surface.noise * surface.scale
    return {
        "lines": dict(zip(names, lines, strict=True)),
        "pairs": pairs,
        "names": names,
        "optimum": optimum,
        "noise": noise,
    }


def _line(surface: surfaces.Surface, here: np.ndarray, k: int, span: tuple[float, float]) -> dict:
    unit = np.linspace(0, 1, _LINE)
    designs = np.tile(here, (_LINE, 1))
    designs[:, k] = unit
    mean, sd = surface.predict(designs)
    return {"at": span[0] + (span[1] - span[0]) * unit, "mean": mean, "sd": sd}


def _pair(surface: surfaces.Surface, here: np.ndarray, i: int, j: int, x: tuple, y: tuple) -> dict:
    unit = np.linspace(0, 1, _GRID)
    designs = np.tile(here, (_GRID * _GRID, 1))
    designs[:, i], designs[:, j] = (part.ravel() for part in np.meshgrid(unit, unit))
    mean = surface.predict(designs)[0].reshape(_GRID, _GRID)
    return {"x": i, "y": j, "x_at": x[0] + (x[1] - x[0]) * unit, "y_at": y[0] + (y[1] - y[0]) * unit, "mean": mean}


def _front(lab: "Lab", everything: Walked, good: np.ndarray, fresh: Walked | None) -> list[dict] | None:
    """The designs that no other beats in both, metabolic cost and the device's power; None without a baseline."""
    if fresh is None:
        return None
    mean, base = means(everything.figures), means(fresh.figures)[COST][-1]
    cost, power, front, lowest = mean[COST], mean[DEVICE_POWER], [], np.inf
    for i in sorted(np.flatnonzero(good), key=lambda i: (power[i], cost[i])):
        if cost[i] < lowest:
            lowest = cost[i]
            row = {"design": lab.design(everything.unit[i]), "device_power_w_per_kg": power[i]}
            front.append({**row, "saving_percent": 100 * (1 - cost[i] / base)})
    return front


def _sentences(found: dict) -> list[str]:
    first = found["best"][0]
    over = "trainings" if len(found["policy_names"]) > 1 else "walks of one training"
    sentences = [f"Best of {found['designs']} designs: {said(first['design'])}."]
    if (saving := first["saving"]) and saving["mean"] is not None:
        limits = "" if saving["low"] is None else f" [{saving['low']:.1f}, {saving['high']:.1f}]"
        sentences.append(
            f"Its metabolic cost per metre is {saving['mean']:.1f} %{limits} below that of the same device without "
            f"torque (95 % over {over}, from {found['fresh_seeds']} seeds that the search did not see)."
        )
    for place in (found["surfaces"] or {"optimum": []})["optimum"]:
        sentences.append(
            f"{place['name']}: the surface, which knows no constraint, is lowest at {place['low']:.3g} to "
            f"{place['high']:.3g} (95 %)."
        )
    return sentences


def _notes(found: dict, lab: "Lab") -> list[str]:
    notes = []
    spans = {p["name"]: (p["low"], p["high"]) for p in found["parameters"]}
    for name in found["best"][0]["at_bound"]:
        value = found["best"][0]["design"][name]
        end = min(spans[name], key=lambda x: abs(x - value))
        notes.append(
            f"the optimum is at a bound: {name} = {value:.4g}, the family ends at {end:g}. The best device may lie "
            "beyond it: train a family with a wider range."
        )
    if found["nothing"] is None:
        notes.append(
            "the family has no device without torque, so no saving is told: let peak_torque or stiffness reach 0."
        )
    elif abs(apart := _faster(found)) > _APART:
        notes.append(
            f"with the best device they walk {apart:+.2f} m/s faster than without torque: mind it with powers."
        )
    if not found["feasible"]:
        notes.append("no design keeps the constraints; the best is the one that breaks them least.")
    if len(found["policy_names"]) == 1:
        notes.append("one training: the intervals hold the scatter of its walks, not that between trainings or people.")
    for name, most in found["constraints"].items():
        if (value := found["best"][0]["figures"][name]["mean"]) is not None and value > most:
            notes.append(
                f"from fresh seeds the best breaks a constraint: {name} is {value:.3g}, asked {most:g} at most."
            )
    lost = sum(1 for x in found["walked"]["means"][FELL] if x and x > 0)
    if lost:
        notes.append(f"with {lost} of {found['designs']} designs somebody fell; their falls count against them.")
    if found["surfaces"] is None:
        notes.append("too few designs kept the constraints for a surface.")
    return notes


def _faster(found: dict) -> float:
    """m/s by which walking with the best device is faster than without torque; 0 where nobody walked."""
    speeds = [figures["speed"]["mean"] for figures in (found["best"][0]["figures"], found["nothing"])]
    return 0.0 if None in speeds else speeds[0] - speeds[1]


def _lists(value):
    """Arrays as lists, through dictionaries and lists."""
    if isinstance(value, dict):
        return {key: _lists(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(part) for part in value]
    return value.tolist() if isinstance(value, np.ndarray) else value
