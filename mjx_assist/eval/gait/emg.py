"""When muscles are active over the gait cycle, against published EMG, and how much antagonists work at once.

A simulated activation stands where a laboratory has EMG over that of a maximal contraction: both are 0 to 1."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.eval.gait import cycles, events
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.reference.published import healthy_band

# Perry (1992), Gait Analysis, chapters 4 to 7: an EMG counts as activity from 5 % of the maximal one, lasting 5 % of
# the gait cycle or more.
ON_LEVEL, SHORTEST_PERCENT = 0.05, 5
# Muscle -> (onset, cessation) in % of the gait cycle in healthy walking, onset above cessation where the activity runs
# through initial contact: Perry (1992), chapters 4 to 7. A lumped muscle has one part's: hamstrings semimembranosus',
# vasti vastus lateralis', glutmax the lower gluteus maximus', abd gluteus medius', add adductor longus', iliopsoas
# iliacus'.
PUBLISHED_TIMING = {
    "tibant": (54, 9),
    "edl": (55, 11),
    "ehl": (57, 10),
    "soleus": (3, 52),
    **dict.fromkeys(("gastroc", "gasmed", "gaslat"), (6, 48)),
    "fdl": (10, 54),
    "fhl": (47, 54),
    "perlong": (11, 49),
    "perbrev": (16, 54),
    **dict.fromkeys(("vasti", "vaslat"), (88, 15)),
    "vasmed": (87, 16),
    "vasint": (93, 20),
    **dict.fromkeys(("rectfem", "recfem"), (55, 66)),
    **dict.fromkeys(("hamstrings", "semimem"), (81, 5)),
    "semiten": (87, 4),
    "bflh": (79, 5),
    **dict.fromkeys(("bifemsh", "bfsh"), (62, 81)),
    **dict.fromkeys(("iliopsoas", "iliacus"), (60, 72)),
    "sart": (57, 70),
    "grac": (64, 78),
    "tfl": (26, 39),
    **dict.fromkeys(("glutmax", "glmax2", "glmax3"), (94, 10)),
    "glmax1": (94, 24),
    **dict.fromkeys(("abd", "glmed1", "glmed2", "glmed3"), (95, 29)),
    **dict.fromkeys(("add", "addlong"), (44, 77)),
}
# Muscle -> EMG envelope of Schwartz et al. (2008), see sim/published_gait.py.
PUBLISHED_ENVELOPE = {
    "tibant": "emg_anterior_tibialis",
    **dict.fromkeys(("gastroc", "gasmed"), "emg_medial_gastrocnemius"),
    **dict.fromkeys(("rectfem", "recfem"), "emg_rectus_femoris"),
    **dict.fromkeys(("hamstrings", "semimem", "semiten"), "emg_medial_hamstrings"),
    "bflh": "emg_lateral_hamstrings",
}
# Antagonists about a joint; a group's activation is the mean of the members that a model has.
ANTAGONISTS = {
    "ankle_tibialis_anterior_and_triceps_surae": (("tibant",), ("soleus", "gastroc", "gasmed", "gaslat")),
    "knee_vasti_and_hamstrings": (
        ("vasti", "vaslat", "vasmed", "vasint"),
        ("hamstrings", "semimem", "semiten", "bflh"),
    ),
    "knee_rectus_femoris_and_hamstrings": (("rectfem", "recfem"), ("hamstrings", "semimem", "semiten", "bflh")),
    "hip_iliopsoas_and_gluteus_maximus": (("iliopsoas", "iliacus", "psoas"), ("glutmax", "glmax1", "glmax2", "glmax3")),
    "hip_abductors_and_adductors": (("abd", "glmed1", "glmed2", "glmed3"), ("add", "addlong", "addbrev", "addmagIsch")),
}


def emg_summary(records: Sequence[GaitRecord], speed: float) -> dict:
    """By muscle, then ``right``, ``left`` and ``both`` (mean of the legs), from the stride-averaged activation.

    on_percent: share of the cycle with activity (``active``). onset_percent, offset_percent: of the burst that holds
    the peak; None for a muscle that is never or always on. Against PUBLISHED_TIMING: onset_late_percent,
    offset_late_percent (within +-50; late is positive) and timing_agreement_percent, the share of the cycle in which
    both are on or both off. envelope_correlation: Pearson's r with PUBLISHED_ENVELOPE at ``speed`` m/s.
    """
    result = {}
    for muscle in cycles.muscles(records[0]):
        average = cycles.pooled_average(records, lambda record, muscle=muscle: cycles.activation(record, muscle))
        legs = {side: _leg(average["mean"][:-1, foot], muscle, speed) for foot, side in enumerate(SIDES)}
        shared = ("onset_percent", "offset_percent")  # a mean of two places on a circle means nothing
        both = {key: cycles.mean([leg[key] for leg in legs.values()]) for key in legs["right"] if key not in shared}
        published = PUBLISHED_TIMING.get(muscle, (np.nan, np.nan))
        result[muscle] = {
            **legs,
            "both": both,
            "published_onset_percent": published[0],
            "published_offset_percent": published[1],
        }
    return result


def active(profile: np.ndarray) -> np.ndarray:
    """[100] bool: activation of each percent of the cycle counts as activity (Perry 1992: level and duration).

    The cycle is a circle: activity may run through initial contact.
    """
    on = profile >= ON_LEVEL
    for start, length in _bursts(on):
        if length < SHORTEST_PERCENT:
            on[np.arange(start, start + length) % on.size] = False
    return on


def cocontraction_summary(records: Sequence[GaitRecord]) -> dict:
    """By antagonist pair: co-contraction index in % of ``right``, ``left``, ``both``; mean and SD over strides.

    Falconer & Winter (1985, Electromyogr Clin Neurophysiol 25:135): 100 * 2 * area common to both activations / (area
    of one + area of the other), over the stride. 0: never at once; 100: always equally active. A pair that the model
    lacks is left out, one that a leg lacks (an amputated ankle) is None there.
    """
    result = {}
    have = set(cycles.muscles(records[0]))
    for pair, groups in ANTAGONISTS.items():
        one, other = ([name for name in group if name in have] for group in groups)
        if not one or not other:
            continue
        legs: dict[str, list[float]] = {side: [] for side in SIDES}
        for record in records:
            a, b = (_group(record, group) for group in (one, other))
            common = cycles.over_strides(record, np.minimum(a, b), np.sum)
            total = cycles.over_strides(record, a + b, np.sum)
            for stride, part, whole in zip(events.strides(record), common, total, strict=True):
                legs[stride.side].append(200 * part / whole if whole > 0 else np.nan)
        legs["both"] = legs["right"] + legs["left"]
        result[pair] = {leg: {"index_percent": cycles.mean(v), "sd": cycles.sd(v)} for leg, v in legs.items()}
    return result


def _group(record: GaitRecord, muscles: Sequence[str]) -> np.ndarray:
    """[T, 2] mean activation of muscles named without their side; NaN on a side that has none of them."""
    series = np.stack([cycles.activation(record, muscle) for muscle in muscles])
    known = np.isfinite(series)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, series, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _leg(profile: np.ndarray, muscle: str, speed: float) -> dict:
    """One leg's figures of one muscle from its mean activation at each percent [100]."""
    on = active(profile)
    known = np.isfinite(profile).all()
    onset = offset = np.nan
    if known and on.any() and not on.all():
        peak = int(np.where(on, profile, -1).argmax())
        start, length = next(b for b in _bursts(on) if (peak - b[0]) % on.size < b[1])
        onset, offset = float(start), float((start + length) % on.size)
    published = PUBLISHED_TIMING.get(muscle)
    wanted = np.array([_within(percent, *published) for percent in range(on.size)]) if published else None
    return {
        "on_percent": 100 * on.mean() if known else np.nan,
        "onset_percent": onset,
        "offset_percent": offset,
        "onset_late_percent": _late(onset, published[0]) if published else np.nan,
        "offset_late_percent": _late(offset, published[1]) if published else np.nan,
        "timing_agreement_percent": 100 * (on == wanted).mean() if published and known else np.nan,
        "envelope_correlation": _envelope_correlation(profile, muscle, speed),
    }


def _bursts(on: np.ndarray) -> list[tuple[int, int]]:
    """(start, length) of the stretches of True in a circle of flags; none where all are True."""
    starts = np.flatnonzero(on & ~np.roll(on, 1))
    ends = np.flatnonzero(~on & np.roll(on, 1))
    return [(int(start), int(min((ends - start) % on.size))) for start in starts]


def _within(percent: float, onset: float, offset: float) -> bool:
    """Whether a place in the cycle lies from onset to offset, through 100 % where onset is the larger."""
    return (percent - onset) % 100 < (offset - onset) % 100


def _late(percent: float, published: float) -> float:
    """How much later than published, -50 to 50 % of the cycle."""
    return (percent - published + 50) % 100 - 50


def _envelope_correlation(profile: np.ndarray, muscle: str, speed: float) -> float:
    """Pearson's r of the activation with the published envelope; NaN where there is none or the muscle rests."""
    quantity = PUBLISHED_ENVELOPE.get(muscle)
    if quantity is None or not np.isfinite(speed) or not np.ptp(profile) > 0:
        return float("nan")
    return float(np.corrcoef(profile, healthy_band(quantity, speed)[1][:-1])[0, 1])
