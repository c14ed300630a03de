"""Many short walks over several processes: what each came to, and how sure a share of successes is.

What is walked and what is made of it is for `stress` and `challenge`.
"""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from mjx_assist import processes
from mjx_assist.eval.gait import cycles, spatiotemporal
from mjx_assist.eval.gait.summary import WARM_UP_S, episode_summary
from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.files.plain import plain
from mjx_assist.policy.bundle import Bundle, load, save

PROCESSES = 2
SPEED_WINDOW_S = 2.0  # about two strides: the speed within a stride is no error
_SESSIONS = 4  # that a process keeps: a full model takes much memory, and walks come in the order of their conditions


@dataclass(frozen=True)
class Trial:
    """One walk: which of the policies, on which model, how long (s), from which seed, under what."""

    policy: int
    kind: str
    seconds: float
    seed: int
    conditions: Conditions = AS_TRAINED


@dataclass(frozen=True)
class Measure:
    """What is made of a walk: JSON data with ``time_s`` in it, from samples at ``record_rate`` (Hz; None: replay's)."""

    of: Callable[[GaitRecord, Bundle], dict]
    record_rate: float | None


def run(
    bundles: Sequence[Bundle],
    trials: Sequence[Trial],
    workers: int = PROCESSES,
    measure: Measure | None = None,
) -> Iterator[tuple[int, dict]]:
    """Walk all trials; yields (index of the trial, its `outcome` or ``measure``) as they end, the rate on stderr."""
    if not trials:
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy threads of MuJoCo and BLAS in any state
    news = _Progress(len(trials))
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(i) for i in range(len(bundles))]
        for bundle, place in zip(bundles, places, strict=True):
            save(bundle, place)
        begin = places, [bundle.may_import for bundle in bundles], measure or OUTCOME
        pool = ProcessPoolExecutor(min(workers, len(trials)), context, _begin, begin)
        try:
            with processes.current_folder_left_alone():  # submit starts the workers
                jobs = {pool.submit(_walk, trial): index for index, trial in enumerate(trials)}
            for job in as_completed(jobs):
                news.tell(job.result())
                yield jobs[job], job.result()
        finally:
            news.end()
            pool.shutdown(cancel_futures=True)


def outcome(record: GaitRecord) -> dict:
    """What a walk came to, as JSON data: the line of `episode_summary`, and by name

    ``speed_asked_m_s`` mean command and ``speed_error_m_s`` mean distance of the speed from it over `SPEED_WINDOW_S`
    long windows, after the warm-up; ``stride_length_m``, ``cadence_steps_per_min`` means over strides. None where the
    walk was too short to tell.
    """
    summary, record = episode_summary(record), record.finite_part()
    requested, error = speed_error(record)
    return {
        **summary,
        **plain(
            {
                "speed_asked_m_s": requested,
                "speed_error_m_s": error,
                "stride_length_m": cycles.mean(spatiotemporal.stride_length(record)),
                "cadence_steps_per_min": cycles.mean(spatiotemporal.cadence(record)),
            }
        ),
    }


def speed_error(record: GaitRecord) -> tuple[float, float]:
    """(mean command, mean distance between speed and command over windows), m/s; NaN in a walk without a window."""
    edges = np.arange(WARM_UP_S, record.time[-1], SPEED_WINDOW_S)
    if edges.size < 2:
        return float(record.target_velocity.mean()), float("nan")
    place = np.interp(edges, record.time, record.column(record.qpos, "pelvis_tx"))
    way = np.concatenate([[0.0], np.cumsum(record.target_velocity[1:] * np.diff(record.time))])
    requested = np.diff(np.interp(edges, record.time, way)) / SPEED_WINDOW_S
    return float(requested.mean()), float(np.abs(np.diff(place) / SPEED_WINDOW_S - requested).mean())


def _outcome(record: GaitRecord, _: Bundle) -> dict:
    return outcome(record)


# Recording takes as long as walking, and what `outcome` reads needs no more samples.
OUTCOME = Measure(_outcome, 100.0)
_bundles: list[Bundle] = []  # of a worker process
_measures: list[Measure] = [OUTCOME]


def _begin(places: Sequence[Path], may_import: Sequence[bool], measure: Measure) -> None:
    _measures[:] = [measure]
    _bundles[:] = [replace(load(place), may_import=may) for place, may in zip(places, may_import, strict=True)]
    threadpool_limits(1)
    processes.end_with_parent()


def _walk(trial: Trial) -> dict:
    session = _session(trial.policy, trial.kind, trial.conditions)
    session.reset(trial.seed)
    tape = Tape(session.walker)
    for _ in range(round(trial.seconds / session.dt)):
        if not session.step(tape):
            break
    return _measures[0].of(session.record(tape), _bundles[trial.policy])


@lru_cache(_SESSIONS)
def _session(policy: int, kind: str, conditions: Conditions) -> Walk:
    """Making a full model takes longer than some walks in it."""
    return Walk(_bundles[policy], kind, record_rate=_measures[0].record_rate, conditions=conditions)


class _Progress:
    """A line on stderr: walks done, simulated seconds per second, time left by them."""

    def __init__(self, total: int):
        self._total = total
        self._begun, self._live, self._done, self._walked = time.perf_counter(), sys.stderr.isatty(), 0, 0.0

    def tell(self, outcome: dict) -> None:
        """One more is done."""
        self._done += 1
        self._walked += outcome["time_s"]
        took = time.perf_counter() - self._begun
        left = took / self._done * (self._total - self._done)
        text = f"{self._done} of {self._total} walks, {self._walked / took:.0f} times real time, {left:.0f} s left"
        if self._live:
            print(f"\r{text}   ", end="", file=sys.stderr, flush=True)
        elif self._done == self._total or self._done % 10 == 0:
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            print(file=sys.stderr)
