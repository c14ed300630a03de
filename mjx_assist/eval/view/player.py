"""A session in real time, played by a person: pause, step, reset, speed, device, push; and how well it held its rate.

The window and the browser draw it and forward what they are told; here is what it means.
"""

import queue
import time
from collections.abc import Callable

import numpy as np

from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions
from mjx_assist.eval.replay.gauge import Reading
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.policy.bundle import Bundle

SPEED_STEP = 0.05  # m/s that one key press changes the target speed
PUSH_N = 100.0  # newtons of a push by key
LAG_S = 0.25  # further behind real time than this, the clock starts anew instead of hurrying after
_WHILE_PAUSED_S = 0.02  # how long to wait before looking for a key again


class Pace:
    """Holds simulated time to the wall clock, and measures how well: all in seconds."""

    def __init__(self, now: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep):
        self._now, self._sleep = now, sleep
        self._start: float | None = None
        self._woke = 0.0
        self._wall = 0.0  # on the clock, pauses left out
        self._simulated = 0.0
        self._work: list[float] = []
        self.missed = 0

    def begin(self) -> None:
        """A control step begins; the clock starts if it stands."""
        self._woke = self._now()
        if self._start is None:
            self._start = self._end = self._woke

    def hold(self, dt: float) -> None:
        """The work on a step of ``dt`` s is done: wait for its end. A lag of more than `LAG_S` is forgiven."""
        done = self._now()
        self._work.append(done - self._woke)
        self._end += dt
        self._simulated += dt
        ahead = self._end - done
        if ahead > 0:
            self._sleep(ahead)
        else:
            self.missed += 1
        if ahead < -LAG_S:
            self._end = done
        self._wall += self._now() - self._woke

    def stop(self) -> None:
        """The walk is paused: the clock stands until the next `begin`."""
        self._start = None

    @property
    def steps(self) -> int:
        """How many steps were held."""
        return len(self._work)

    @property
    def factor(self) -> float:
        """Simulated per wall-clock time; NaN before the first step."""
        return self._simulated / self._wall if self._wall else float("nan")

    @property
    def work_p99(self) -> float:
        """99th percentile of the time that a control step's work took, drawing included, s; NaN before the first."""
        return float(np.percentile(self._work, 99)) if self._work else float("nan")


class Player:
    """Plays episodes of at most ``steps`` control steps, one seed after the other.

    `ask` may be called from any thread; what was asked happens before the next control step.
    """

    def __init__(
        self,
        bundle: Bundle,
        kind: str,
        steps: int,
        seed: int,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        conditions: Conditions = AS_TRAINED,
    ):
        self.session = Walk(bundle, kind, seed, conditions=conditions)
        self.pace = pace or Pace()
        self.paused = False
        self.follow = True
        self.reading = self.session.read()
        self.message: str | None = None  # how the last episode ended, once
        self._steps, self._once, self._sleep = steps, False, sleep
        self._asked: queue.SimpleQueue[Callable[[Player], None]] = queue.SimpleQueue()

    def ask(self, what: "Callable[[Player], None]") -> None:
        """Have ``what(player)`` done before the next control step."""
        self._asked.put(what)

    def tick(self, draw: "Callable[[Player], None]") -> None:
        """What was asked, one control step, ``draw(player)``, and the wait for the step's end (short when paused)."""
        self.pace.begin()
        while not self._asked.empty():
            self._asked.get()(self)
        moved = not self.paused or self._once
        if moved:
            self._advance()
        draw(self)
        if self.paused:
            self.pace.stop()
            self._sleep(_WHILE_PAUSED_S)
        elif moved:
            self.pace.hold(self.session.dt)

    def toggle_pause(self) -> None:
        """Stand still, or go on."""
        self.paused = not self.paused

    def step_once(self) -> None:
        """One control step, then stand still."""
        self.paused = self._once = True

    def reset(self) -> None:
        """The present episode from its start."""
        self._restart(self.session.seed)

    def faster(self, by: float) -> None:
        """Change the target speed by so many m/s."""
        self.session.ask_speed(self.session.commanded(self.session.time) + by)

    def push(self, force: float) -> None:
        """Push the pelvis forward with so many newtons."""
        self.session.push(force)

    def switch_device(self, on: bool | None = None) -> None:
        """The device on or off; the other way round where not said."""
        self.session.device_on = not self.session.device_on if on is None else on

    def switch_follow(self) -> None:
        """Whether the camera goes along."""
        self.follow = not self.follow

    def _advance(self) -> None:
        self._once = False
        session = self.session
        if session.fell or session.steps >= self._steps:
            self._restart(session.seed + 1)
        session.step()
        self.reading: Reading = session.read()
        if session.fell or session.steps >= self._steps:
            self.message = f"seed {session.seed}: {'fell after' if session.fell else 'walked'} {session.time:.1f} s"

    def _restart(self, seed: int) -> None:
        self.session.reset(seed)
        self.reading = self.session.read()


def rate(pace: Pace, dt: float) -> list[tuple[str, str]]:
    """How well the control rate was held: (label, value)."""
    if not pace.steps:
        return []
    return [
        ("real-time factor", f"{pace.factor:.2f}"),
        ("control loop", f"99th percentile {1e3 * pace.work_p99:.1f} of {1e3 * dt:.1f} ms"),
        ("deadlines missed", f"{pace.missed} of {pace.steps}"),
    ]


def notes(player: Player) -> list[tuple[str, str]]:
    """What a viewer says beside the numbers: (label, value)."""
    session = player.session
    paused = [("paused", f"at {session.time:.2f} s")] if player.paused else []
    return paused + [("not heard", sentence.partition(":")[0]) for sentence in session.unheard.values()]


def rate_line(pace: Pace, dt: float) -> str:
    """The same in one line."""
    return ", ".join(f"{label} {value}" for label, value in rate(pace, dt))
