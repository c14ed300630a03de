"""Replay: a policy walks in CPU MuJoCo, no JAX, no termination on tracking error; yields gait records."""

import sys
import time
from collections.abc import Callable

from mjx_assist.config.words import REDUCED
from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.policy.bundle import Bundle

OnStep = Callable[[Walker, float], bool]


def replay(
    bundle: Bundle,
    kind: str = REDUCED,
    steps: int = 1000,
    seed: int = 0,
    on_step: OnStep | None = None,
    record_rate: float | None = None,
    conditions: Conditions = AS_TRAINED,
) -> GaitRecord:
    """One episode of at most ``steps`` control steps; ends early only at a fall or a state that is not finite.

    The seed draws the phase of the reference where the walk starts and the commanded speeds. ``on_step(walker, time)``
    is called after every control step and ends the episode by returning False.
    ``record_rate``: samples per second, at most one a physics step (None: at most 250). ``conditions``: what
    the walk is put under.
    """
    session = Walk(bundle, kind, seed, record_rate, conditions)
    tape = Tape(session.walker)
    for _ in range(steps):
        up = session.step(tape)
        if not up or (on_step is not None and not on_step(session.walker, session.time)):
            break
    return session.record(tape)


def walk(
    bundle: Bundle,
    kind: str,
    steps: int,
    seed: int,
    record_rate: float | None = None,
    conditions: Conditions = AS_TRAINED,
) -> GaitRecord:
    """One episode, with its progress on stderr."""
    name = f"{kind} model, seed {seed}"
    length = steps / bundle.config.env_params.control_framerate
    live = sys.stderr.isatty()

    def on_step(_: Walker, now: float) -> bool:
        if live:
            print(f"\r{name}: {now:5.1f} of {length:.1f} s", end="", file=sys.stderr, flush=True)
        return True

    start = time.perf_counter()
    record = replay(bundle, kind, steps, seed, on_step, record_rate, conditions)
    news = f"{name}: {'fell after' if record.fell else 'walked'} {record.time[-1]:.1f} s"
    took = time.perf_counter() - start
    print(f"{chr(13) if live else ''}{news}, simulated in {took:.1f} s", file=sys.stderr, flush=True)
    return record
