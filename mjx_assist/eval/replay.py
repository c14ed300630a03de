"""Replay: a policy walks in CPU MuJoCo, no JAX, no termination on tracking error; yields gait records."""

from collections.abc import Callable

from mjx_assist.eval.bundle import Bundle
from mjx_assist.eval.conditions import AS_TRAINED, Conditions
from mjx_assist.eval.record import GaitRecord
from mjx_assist.eval.session import Session
from mjx_assist.eval.tape import Tape
from mjx_assist.eval.walker import Walker

OnStep = Callable[[Walker, float], bool]


def replay(
    bundle: Bundle,
    kind: str = "reduced",
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
    session = Session(bundle, kind, seed, record_rate, conditions)
    tape = Tape(session.walker)
    for _ in range(steps):
        up = session.step(tape)
        if not up or (on_step is not None and not on_step(session.walker, session.time)):
            break
    return session.record(tape)
