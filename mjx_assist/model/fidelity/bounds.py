"""The bounds that a reduction should keep, and, from a fidelity report, which it keeps."""

from typing import Any

from mjx_assist.config.words import FULL, REDUCED

LENGTH_MM = 1.0  # RMSE of a muscle's length over the walking range
ARM_MM, ARM_OF_PEAK = 2.0, 0.05  # RMSE of a refitted muscle's moment arm: either bound will do
EXACT_MM = 1e-3  # of muscles that no refit touches
MASS = 1e-6  # kg, m, kg m^2
MEDIAN_PERCENT, PERCENTILE_95_PERCENT = 2.0, 10.0  # of the RMS of a joint's acceleration
MOTION_DEG = 1.0  # between the reduced model and the full one with couplings of 2 ms
FOOT_MM, LOAD_PERCENT = 3.0, 5.0


def verdicts(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per bound that the report has figures for: what of it is worst for its bound, and whether that is ok.

    Keys: ``measure``, ``value``, ``bound``, ``unit``, ``of`` (which muscle, joint, body or foot) and ``ok``.
    """
    rows = [*_muscles(report["muscles"]), _masses(report["bodies"])]
    if "accelerations" in report:
        found = report["accelerations"]
        for key, bound in (("median", MEDIAN_PERCENT), ("percentile_95", PERCENTILE_95_PERCENT)):
            name = f"accelerations, {key.replace('_', ' ')}"
            rows.append(_worst(name, "% of RMS", [(100 * found[key], bound, "")]))
            joints = [(100 * j[key], bound, j["joint"]) for j in found["joints"]]
            rows.append(_worst(f"{name} of the worst joint", "% of RMS", joints))
    for kind in ("swing", "stance"):
        motions = {name: m for name, m in report.get("convergence", {}).items() if name.startswith(kind)}
        ends = [(m["rows"][-1]["difference_deg"], MOTION_DEG, m["rows"][-1]["joint"]) for m in motions.values()]
        rows.append(_worst(f"{kind}, couplings at 2 ms", "deg", ends))
    if "feet" in report:
        rows += _feet(report["feet"])
    return [row for row in rows if row is not None]


def worst(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict that is nearest to its bound, or farthest beyond it."""
    return max(rows, key=lambda row: _order(row["value"]) / row["bound"])


def _worst(measure: str, unit: str, found: list[tuple[float, float, str]]) -> dict[str, Any] | None:
    """Of (value, bound, of what), the one that is worst for its bound."""
    if not found:
        return None
    value, bound, of = max(found, key=lambda row: _order(row[0]) / row[1])
    ok = value <= bound  # not so for nan
    return {"measure": measure, "value": value, "bound": bound, "unit": unit, "of": of, "ok": bool(ok)}


def _order(value: float | None) -> float:
    return float("inf") if value is None or value != value else value  # a motion that diverged has nan, in JSON None


def _muscles(muscles: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    refitted = [m for m in muscles if m["refitted"]]
    exact = [m for m in muscles if not m["refitted"]]

    def bound(m: dict[str, Any]) -> float:
        return max(ARM_MM, ARM_OF_PEAK * m["moment_arm_peak_mm"])

    return [
        _worst("muscle length, RMSE", "mm", [(m["length_rmse_mm"], LENGTH_MM, m["muscle"]) for m in muscles]),
        _worst("moment arm, RMSE", "mm", [(m["moment_arm_rmse_mm"], bound(m), m["muscle"]) for m in refitted]),
        _worst("exact moment arms", "mm", [(m["moment_arm_rmse_mm"], EXACT_MM, m["muscle"]) for m in exact]),
    ]


def _masses(bodies: list[dict[str, Any]]) -> dict[str, Any] | None:
    keys = ("mass_error_kg", "centre_error_m", "inertia_error_kg_m2")
    return _worst("mass, centre, inertia", "kg, m, kg m2", [(max(b[k] for k in keys), MASS, b["body"]) for b in bodies])


def _feet(report: dict[str, Any]) -> list[dict[str, Any] | None]:
    height, feet = report["standing_height_m"], report["feet"]
    share = {name: foot["heel_load_percent"] for name, foot in feet.items()}
    shape = {name: foot["sole_height_error_mm"]["worst"] for name, foot in feet.items()}
    return [
        _worst("standing height", "mm", [(1e3 * abs(height[REDUCED] - height[FULL]), FOOT_MM, "")]),
        _worst("sole height", "mm", [(value, FOOT_MM, name) for name, value in shape.items()]),
        _worst("heel's load", "%", [(abs(s[REDUCED] - s[FULL]), LOAD_PERCENT, name) for name, s in share.items()]),
    ]
