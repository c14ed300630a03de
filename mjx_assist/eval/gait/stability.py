"""How close to falling a walker is: margins of stability, the largest Lyapunov exponent, falls."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from scipy.spatial import KDTree

from mjx_assist.eval.gait import angles, cycles, events
from mjx_assist.eval.gait.cycles import FORWARD, LATERAL, VERTICAL
from mjx_assist.eval.gait.metric import StrideMetric
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.model.names import GRAVITY

SAMPLES_PER_STRIDE = 100
SHORTEST_STRIDES = 10  # with fewer there is no neighbour close enough on another stride
DELAY = 25  # samples, a quarter of a stride
SHORT_TERM = 0.5  # strides over which the short-term exponent is fitted
_NEIGHBOURS = 24  # asked of the tree at once; more where all of them are too close in time


def forward_margin(record: GaitRecord) -> np.ndarray:
    """m from the extrapolated centre of mass to the landing foot's tip; below 0: walking must go on with a step."""
    _, tip, extrapolated = _landing(record)
    return tip[:, FORWARD] - extrapolated[:, FORWARD]


def backward_margin(record: GaitRecord) -> np.ndarray:
    """m from the landing heel to the extrapolated centre of mass; below 0: the walker would fall back."""
    heel, _, extrapolated = _landing(record)
    return extrapolated[:, FORWARD] - heel[:, FORWARD]


def lateral_margin(record: GaitRecord) -> np.ndarray:
    """m from the extrapolated centre of mass outwards to the landing heel."""
    heel, _, extrapolated = _landing(record)
    outward = np.where(events.samples(record).foot == SIDES.index("left"), 1, -1)
    return outward * (heel[:, LATERAL] - extrapolated[:, LATERAL])


def _landing(record: GaitRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[n, 3] m at the initial contact that begins each stride: the landing heel, the foot's tip, and the extrapolated

    centre of mass (Hof, Gazendam & Sinke 2005, J Biomech 38:1, equations 4 to 6): XcoM = x + v / w0, w0 = sqrt(g / l),
    l the centre of mass' mean height over the ground. Margins are positive where it is inside the foot's edges.
    """
    at = events.samples(record)
    height = record.com_position[:, VERTICAL] - record.com_ground
    pendulum = np.sqrt(height.mean() / GRAVITY)  # 1 / w0, s
    extrapolated = record.com_position[at.start] + pendulum * record.com_velocity[at.start]
    return record.foot_position[at.start, at.foot], np.asarray(record.toe_tip)[at.start, at.foot], extrapolated


def stability_summary(records: Sequence[GaitRecord], both: dict) -> dict:
    """Margins of stability (mean and SD over strides), the short-term Lyapunov exponent, when episodes fell."""
    margins = [name for name in both if name.startswith("margin_of_stability")]
    exponents = [gait_exponent(record) for record in records]
    return {
        **{name: both[name] for name in margins},
        "sd": {name: both["sd"][name] for name in margins},
        "lyapunov_per_stride": cycles.mean([exponent for exponent, _ in exponents]),
        "lyapunov_strides": sum(strides for exponent, strides in exponents if np.isfinite(exponent)),
        "falls": sum(bool(record.fell) for record in records),
        "fall_times_s": [float(record.time[-1]) for record in records if record.fell],
    }


def rows() -> Iterator[StrideMetric]:
    """The table's rows of the margins."""
    row = partial(StrideMetric, unit="m", source="Hof et al. 2005", drawn=False)
    ahead = (
        "at initial contact: tip of the landing foot - XcoM; XcoM = x + v / √(g / l), l the mean height of the "
        "centre of mass"
    )
    yield row(
        "margin_of_stability_forward_m",
        "Margin of stability forward",
        function=forward_margin,
        formula=ahead,
    )
    yield row(
        "margin_of_stability_backward_m",
        "Margin of stability backward",
        function=backward_margin,
        formula="XcoM - heel",
    )
    yield row(
        "margin_of_stability_lateral_m",
        "Margin of stability lateral",
        function=lateral_margin,
        formula="heel - XcoM, outward. 3-D models only",
        known=angles.in_3d,
    )


def gait_exponent(record: GaitRecord) -> tuple[float, int]:
    """(short-term local divergence exponent per stride, strides it is from); NaN with fewer than 10 strides.

    The centre of mass' velocity, over its SD, on 100 samples for each of the longest run of consecutive right strides,
    and the same a quarter of a stride later, span the state space. The exponent is Rosenstein's, fitted over the first
    half stride (Bruijn et al. 2013, J R Soc Interface 10:20120999). It grows with the number of strides: compare equal
    numbers. Below or near 0: neighbouring strides do not part.
    """
    run = _longest_run([stride for stride in events.strides(record) if stride.side == "right"])
    if len(run) < SHORTEST_STRIDES:
        return float("nan"), len(run)
    edges = record.time[[*(stride.start for stride in run), run[-1].end]]
    count = SAMPLES_PER_STRIDE * len(run)
    instants = np.interp(np.arange(count) / SAMPLES_PER_STRIDE, np.arange(edges.size), edges)
    axes = range(3) if angles.in_3d(record) else (FORWARD, VERTICAL)
    velocity = np.stack([np.interp(instants, record.time, record.com_velocity[:, axis]) for axis in axes], axis=1)
    spread = velocity.std(axis=0)
    moving = spread > 1e-9 * max(spread.max(), 1e-300)
    if not moving.any():
        return float("nan"), len(run)
    velocity = velocity[:, moving] / spread[moving]
    states = np.concatenate([velocity[:-DELAY], velocity[DELAY:]], axis=1)
    horizon = round(SHORT_TERM * SAMPLES_PER_STRIDE)
    return slope(divergence(states, SAMPLES_PER_STRIDE, horizon)) * SAMPLES_PER_STRIDE, len(run)


def divergence(states: np.ndarray, apart: int, horizon: int) -> np.ndarray:
    """[horizon + 1] mean log distance, k samples on, between each state [N, D] and what was its nearest neighbour.

    Rosenstein, Collins & De Luca (1993, Physica D 65:117, equation 12). Neighbours are more than ``apart`` samples
    apart in time (its mean period). NaN where no pair is apart in space, as in a motion that repeats exactly.
    """
    count = len(states) - horizon
    neighbour = _nearest(states[:count], apart)
    first = np.flatnonzero(neighbour >= 0)
    steps = np.arange(horizon + 1)
    difference = states[first[:, None] + steps] - states[neighbour[first][:, None] + steps]
    distance = np.sqrt((difference**2).sum(axis=2))
    known = distance > 1e-12 * max(np.ptp(states), 1e-300)
    logs = np.where(known, np.log(np.where(known, distance, 1.0)), 0.0).sum(axis=0)
    return np.where(known.any(axis=0), logs / np.maximum(known.sum(axis=0), 1), np.nan)


def slope(curve: np.ndarray) -> float:
    """Least-squares slope of a curve per sample: the exponent of a divergence; NaN unless all of it is known."""
    return float(np.polyfit(np.arange(curve.size), curve, 1)[0]) if np.isfinite(curve).all() else float("nan")


def _nearest(states: np.ndarray, apart: int) -> np.ndarray:
    """[N] index of each state's nearest other state more than ``apart`` samples away in time; -1 for none."""
    tree, found = KDTree(states), np.full(len(states), -1)
    missing, neighbours = np.arange(len(states)), min(_NEIGHBOURS, len(states))
    while missing.size:
        near = tree.query(states[missing], neighbours)[1].reshape(missing.size, -1)
        far = np.abs(near - missing[:, None]) > apart
        has = far.any(axis=1)
        found[missing[has]] = near[has, far[has].argmax(axis=1)]
        if neighbours == len(states):
            break
        missing, neighbours = missing[~has], min(4 * neighbours, len(states))
    return found


def _longest_run(strides: Sequence[events.Stride]) -> list[events.Stride]:
    """The longest sequence of strides that follow each other without a gap."""
    longest: list[events.Stride] = []
    run: list[events.Stride] = []
    for stride in strides:
        run = [*run, stride] if run and run[-1].end == stride.start else [stride]
        longest = max(longest, run, key=len)
    return longest
