"""Why a bound is missed: which simplification of the reduction has the largest error where the bound looks."""

from typing import Any

from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.model.fidelity.bounds import ARM_MM

_OPEN_MM = 1.0  # a closed loop that stays open by more moves what hangs on it
_WRITTEN = 1e-5  # kg, m, kg m^2: what ten digits leave out of large inertias


def causes(report: dict[str, Any]) -> list[str]:
    """A sentence for each bound that a fidelity report misses; ``[]`` if none is."""
    missed = [row for row in report["verdicts"] if not row["ok"]]
    return [f"{row['measure']}{_of(row)}: {_cause(row, report)}" for row in missed]


def _of(row: dict[str, Any]) -> str:
    return f" ({row['of']})" if row["of"] else ""


def _cause(row: dict[str, Any], report: dict[str, Any]) -> str:
    measure = row["measure"]
    if measure.startswith("mass"):
        if row["value"] < _WRITTEN:
            return "inertias are written with ten digits; what is left is rounding."
        return "the bodies that became this one do not move as one."
    if measure in ("standing height", "sole height", "heel's load"):
        return _foot(row, report["feet"]["feet"])
    if measure.startswith(("muscle", "moment", "exact")):
        return _loop(report) or _path(row["of"], report)
    return _loop(report) or _motion(report)


def _loop(report: dict[str, Any]) -> str | None:
    gap = report.get("loop_gap_mm")
    if gap is None or gap["worst"] <= _OPEN_MM:
        return None
    return (
        f"closed loops of the full model stay open by {gap['rms']:.1f} mm RMS, {gap['worst']:.0f} mm at worst: what "
        "follows from them is no function of one joint."
    )


def _path(muscle: str, report: dict[str, Any]) -> str:
    figures = next(m for m in report["muscles"] if m["muscle"] == muscle)
    if not figures["refitted"]:
        return "nothing of its path was refitted: its bones move otherwise than in the full model."
    return (
        f"joints that follow others move points of its path; refitted ({figures['path']}, {figures['points']} points) "
        f"it is {figures['length_rmse_mm']:.2f} mm off in length, {figures['moment_arm_rmse_mm']:.1f} mm in moment arm."
    )


def _motion(report: dict[str, Any]) -> str:
    """The largest error of a hinge that stands for a sliding joint, and of a refitted muscle's moment arm."""
    found = []
    if report["hinges"]:
        hinge = max(report["hinges"], key=lambda h: h["worst_mm"])
        found.append(f"{hinge['joint']!r} slides and is a fixed hinge here, {hinge['worst_mm']:.1f} mm off at worst")
    refitted = [m for m in report["muscles"] if m["refitted"]]
    if refitted:
        muscle = max(refitted, key=lambda m: m["moment_arm_rmse_mm"] / max(ARM_MM, m["moment_arm_peak_mm"]))
        arm = muscle["moment_arm_rmse_mm"]
        found.append(f"the moment arm of {muscle['muscle']!r}, refitted, is {arm:.1f} mm off")
    if not found:
        return "no hinge or muscle was refitted: bodies that a coupling moves are counted with one segment."
    return "; ".join(found) + "."


def _foot(row: dict[str, Any], feet: dict[str, Any]) -> str:
    name = row["of"] or max(feet, key=lambda foot: feet[foot]["sole_height_error_mm"]["worst"])
    foot = feet[name]
    share, reach = foot["heel_load_percent"], foot["reach_error_mm"]["worst"]
    return (
        f"{foot['spheres']} spheres stand for the sole of {name!r}: they reach {reach:.1f} mm off at worst, and its "
        f"heel bears {share[REDUCED]:.0f} % instead of {share[FULL]:.0f} %."
    )
