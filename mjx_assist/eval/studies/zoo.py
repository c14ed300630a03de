"""The zoo: one recipe's policies on many bodies, each judged by the same walks on the reduced and on the full model.

What is walked, what is asked of it, and the table; it simulates through `trials`, trains nothing and draws nothing.
"""

import math
from collections.abc import Sequence
from typing import Any

from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.eval.gait import cycles, kinetics
from mjx_assist.eval.gait.metabolics import MODELS, metabolic_summary
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.studies import trials
from mjx_assist.eval.studies.statistics import mean_of
from mjx_assist.files.plain import plain
from mjx_assist.files.tables import number
from mjx_assist.policy.bundle import Bundle

KINDS = (REDUCED, FULL)
SECONDS = 33.0
STOOD = {REDUCED: 0.9, FULL: 0.8}  # least share of the seeds
SPEED_ERROR = 0.1  # m/s at most, on the reduced model
CORRELATION = 0.95  # at least, of the person's own hip and knee with the reference
HEADER = (
    *("human", "device", *KINDS, "m/s", "error", "r hip", "r knee", "r ankle"),
    *("peak BW", "W/kg", "min", "misses"),
)
NOTE = (
    "reduced, full: seeds that walked to the end; m/s, error (mean distance of the speed from the command over "
    "windows of 2 s), r (correlation with the reference, of the person's own joints), peak vertical force (20 Hz) and "
    "metabolic power beyond standing (mean of Umberger 2010 and Bhargava 2004, per kg of the person): means over the "
    "walks on the reduced model that stood; min: minutes of training"
)


def trials_of(seconds: float, seeds: Sequence[int]) -> list[trials.Trial]:
    """A policy's walks, on both models."""
    return [trials.Trial(0, kind, seconds, seed) for kind in KINDS for seed in seeds]


def walked(record: GaitRecord, _: Bundle) -> dict:
    """`trials.outcome` with the peak of the vertical force (BW) and metabolic power (W/kg)."""
    record = record.finite_part()
    metabolic = metabolic_summary([record])
    powers = [(metabolic.get(model) or {}).get("power_w_per_kg") for model in MODELS]
    known = [power for power in powers if power is not None and math.isfinite(power)]
    return {
        **trials.outcome(record),
        **plain(
            {
                "grf_peak_bw": cycles.mean(kinetics.force_peak(record)),
                "muscle_power_w_per_kg": sum(known) / len(known) if known else None,
            }
        ),
    }


MEASURE = trials.Measure(walked, 100.0)


def judged(outcomes: Sequence[tuple[str, dict]]) -> dict:
    """By model, how many seeds stood and means over its walks; then what is missed, in words (none: [])."""
    kinds = {kind: _over([outcome for k, outcome in outcomes if k == kind]) for kind in KINDS}
    return {**kinds, "misses": misses(kinds)}


def misses(kinds: dict[str, dict]) -> list[str]:
    """What of the targets a walker does not meet, in words."""
    said = []
    for kind, least in STOOD.items():
        found = kinds[kind]
        if found["walked"] < least * found["seeds"]:
            fell = found["seeds"] - found["walked"]
            said.append(
                f"falls on the {kind} model in {fell} of {found['seeds']}, first after {found['first_fall_s']:.1f} s"
            )
    found = kinds[REDUCED]
    error = found["speed_error_m_s"]
    if error is None or error > SPEED_ERROR:
        said.append("speed not known" if error is None else f"speed off by {error:.2f} m/s")
    low = [(joint, found[f"{joint}_r"]) for joint in ("hip", "knee")]
    said += [f"{joint} r {r:.2f}" for joint, r in low if r is not None and r < CORRELATION]
    return said


def _over(outcomes: Sequence[dict]) -> dict:
    """Counts of all walks, means of those that stood: a fall's speed and angles say nothing of how it walks."""
    falls = [outcome["time_s"] for outcome in outcomes if outcome["fell"]]
    stood = [outcome for outcome in outcomes if not outcome["fell"]]
    return {
        "seeds": len(outcomes),
        "walked": len(outcomes) - len(falls),
        "first_fall_s": min(falls, default=None),
        **{
            name: mean_of(stood, lambda o, name=name: o[name])
            for name in ("mean_speed_m_s", "speed_error_m_s", "grf_peak_bw", "muscle_power_w_per_kg")
        },
        **{
            f"{joint}_r": mean_of(stood, lambda o, joint=joint: o["corr_reference"][joint])
            for joint in ("hip", "knee", "ankle")
        },
    }


def cells(row: dict) -> tuple[str, ...]:
    """A row of the table as texts, in the order of `HEADER`."""
    name = (row["human"], row["device"])
    if "error" in row:
        return (*name, *["-"] * (len(HEADER) - 3), row["error"])
    reduced, full = row[REDUCED], row[FULL]
    forms = {
        **{"mean_speed_m_s": ".2f", "speed_error_m_s": ".2f", "hip_r": ".2f", "knee_r": ".2f", "ankle_r": ".2f"},
        **{"grf_peak_bw": ".2f", "muscle_power_w_per_kg": ".1f"},
    }
    stood = [f"{found['walked']} of {found['seeds']}" for found in (reduced, full)]
    figures = [number(reduced[key], form) for key, form in forms.items()]
    return (*name, *stood, *figures, number(row["minutes"], ".1f"), "; ".join(row["misses"]) or "-")


def headline(rows: Sequence[dict]) -> str:
    """How many of the rows meet everything."""
    met = sum(row.get("misses") == [] for row in rows)
    failed = sum("error" in row for row in rows)
    return (
        f"{met} of {len(rows)} walkers meet what is asked" + (f"; {failed} could not be made" if failed else "") + "."
    )


def markdown(rows: Sequence[dict]) -> str:
    """The table for a document, with what its columns mean."""
    lines: list[Any] = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    lines += ["| " + " | ".join(text.replace("|", "/") for text in cells(row)) + " |" for row in rows]
    return "\n".join([*lines, "", f"{headline(rows)} {NOTE[0].upper()}{NOTE[1:]}.", ""])
