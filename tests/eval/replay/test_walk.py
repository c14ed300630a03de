"""What a person may change in a walk does what it says, without any display: session, player, pace, gauge."""

import mujoco
import numpy as np
import pytest

from mjx_assist.eval.replay.gauge import Gauge
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walk import PUSH_S, Walk
from mjx_assist.eval.view.player import LAG_S, Pace, Player, rate_line
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles


@pytest.fixture(scope="module")
def shipped():
    return bundles.load(data_path("models", "policies", "walk22_exo"))


class Clock:
    """A wall clock that tests move."""

    def __init__(self):
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def test_a_session_walks_what_replay_records(shipped):
    record = replay(shipped, steps=12, seed=4)
    session = Walk(shipped, seed=4)
    tape = Tape(session.walker)
    for _ in range(12):
        session.step(tape)
    np.testing.assert_array_equal(session.record(tape).qpos, record.qpos)
    session.step()
    session.reset(4)
    for _ in range(12):
        session.step()
    np.testing.assert_array_equal(session.walker.begun.qpos, record.qpos[-1])  # a reset leaves nothing behind


def test_the_switch_takes_the_torque_away_and_gives_it_back(shipped):
    session = Walk(shipped, seed=0)

    def most(steps):
        torque = []
        for _ in range(steps):
            assert session.step()
            torque.append(np.abs(session.read().torque).max())
        return max(torque)

    assert most(30) > 10.0
    session.device_on = False  # not for a whole step: the walker leans on it
    assert most(5) == 0.0
    session.device_on = True
    assert most(30) > 10.0


def test_a_push_adds_its_impulse_to_the_momentum(shipped):
    """Two walks that differ by the push alone, while the feet's answer is still small: mass * change = F * t."""
    ways = []
    for force in (0.0, 60.0):
        session = Walk(shipped, seed=0)
        for _ in range(20):
            session.step()
        session.push(force)
        for _ in range(2):
            session.step()
        mujoco.mj_subtreeVel(session.walker.model, session.walker.data)
        ways.append(session.walker.data.subtree_linvel[1, 0])
    assert session.walker.body_mass * (ways[1] - ways[0]) == pytest.approx(60.0 * 2 * session.dt, rel=0.3)


def test_a_push_ends(shipped):
    session = Walk(shipped, seed=0)
    session.push(80.0)
    pushed = []
    for _ in range(10):
        session.step()
        pushed.append(session.walker.data.qfrc_applied.sum())
    assert pushed == [80.0] * round(PUSH_S / session.dt) + [0.0] * (10 - round(PUSH_S / session.dt))


def test_the_speed_that_is_asked_for_replaces_the_episodes_own(shipped):
    session = Walk(shipped, seed=0)
    assert session.commanded(0.0) == pytest.approx(1.25)
    clock = []
    for speed in (1.0, 1.6):
        session.ask_speed(speed)
        before = session.phase
        session.step()
        clock.append((session.phase - before) % 1.0)
        assert session.read().target == pytest.approx(speed)
    assert clock[1] > clock[0]  # the gait clock follows the command
    session.ask_speed(99.0)
    assert session.commanded(0.0) == session.speed_range[1]


def test_gauge_on_a_walk_whose_speed_and_cadence_are_known():
    gauge, weight, speed, step_time = Gauge(800.0), 800.0, 1.3, 0.55
    for time in np.arange(0.0, 5.0, 1 / 30):
        phase = time / step_time % 2.0
        load = np.where([phase < 1.1, phase >= 1.0 or phase < 0.1], weight, 0.0)
        load += 5.0 * np.sin(900 * time)  # noise that must not count as contacts
        if 0.1 < phase % 1.0 < 0.2:
            load *= 0.0  # and a bounce after each landing
        force = np.stack([0 * load, 0 * load, load], axis=1)
        reading = gauge.read(time, 1.25, speed * time, np.zeros(0), force, np.zeros((2, 3)))
    assert reading.speed == pytest.approx(speed, rel=1e-6)
    assert reading.cadence == pytest.approx(60 / step_time, rel=0.03)  # contacts are seen every 33 ms


def test_pace_waits_for_real_time_and_counts_what_came_late():
    clock = Clock()
    pace = Pace(clock.now, clock.sleep)
    for work in (0.01, 0.02, 0.05, 0.01):  # of 0.033 s each: the third is 17 ms late, the fourth gets it back
        pace.begin()
        clock.time += work
        pace.hold(1 / 30)
    assert pace.missed == 1 and pace.steps == 4
    np.testing.assert_allclose(clock.slept, [1 / 30 - 0.01, 1 / 30 - 0.02, 4 / 30 - 0.1 - 0.01 - 1 / 60], atol=1e-9)
    assert pace.factor == pytest.approx(1.0)
    assert pace.work_p99 == pytest.approx(np.percentile([0.01, 0.02, 0.05, 0.01], 99))
    assert "real-time factor 1.00" in rate_line(pace, 1 / 30) and "1 of 4" in rate_line(pace, 1 / 30)


def test_pace_forgives_a_large_lag_instead_of_hurrying_and_a_pause_is_no_lag():
    clock = Clock()
    pace = Pace(clock.now, clock.sleep)
    pace.begin()
    clock.time += 10 * LAG_S
    pace.hold(0.1)
    pace.begin()
    pace.hold(0.1)
    assert clock.slept == [pytest.approx(0.1)]  # not behind any more
    pace.stop()
    clock.time += 60.0
    pace.begin()
    clock.time += 0.04
    pace.hold(0.1)
    assert pace.missed == 1
    assert pace.factor == pytest.approx(0.3 / (10 * LAG_S + 0.2))


@pytest.fixture
def player(untrained_bundle):
    clock = Clock()
    return Player(untrained_bundle, "reduced", 5, 0, Pace(clock.now, clock.sleep), clock.sleep)


def ticks(player, n):
    """What the player showed in n ticks: (seed, time) each."""
    shown = []
    for _ in range(n):
        player.tick(lambda p: shown.append((p.session.seed, round(p.reading.time * 30))))
    return shown


def test_player_plays_one_seed_after_the_other(player):
    assert ticks(player, 7) == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 1), (1, 2)]
    assert player.message == "seed 0: walked 0.2 s"


def test_player_pauses_steps_and_resets(player):
    ticks(player, 2)
    player.ask(Player.toggle_pause)
    assert ticks(player, 3) == [(0, 2)] * 3
    held = player.pace.steps
    player.ask(Player.step_once)
    assert ticks(player, 3) == [(0, 3)] * 3
    player.ask(Player.reset)
    assert ticks(player, 2) == [(0, 0)] * 2
    assert player.pace.steps == held  # nothing of this is real time
    player.ask(Player.toggle_pause)
    assert ticks(player, 2) == [(0, 1), (0, 2)]


def test_player_forwards_speed_push_and_switch(player):
    player.ask(lambda p: p.faster(0.05))
    player.ask(lambda p: p.push(120.0))
    player.ask(Player.switch_device)
    ticks(player, 1)
    assert player.reading.target == pytest.approx(1.30)
    assert player.session.walker.data.qfrc_applied.sum() == 120.0
    assert not player.session.device_on
    np.testing.assert_array_equal(player.reading.torque, 0.0)
    player.ask(lambda p: p.switch_device(True))
    ticks(player, 1)
    assert player.session.device_on


def test_a_fall_starts_the_next_seed(untrained_bundle):
    clock = Clock()
    player = Player(untrained_bundle, "reduced", 10_000, 0, Pace(clock.now, clock.sleep), clock.sleep)
    shown = ticks(player, 200)
    assert shown[-1][0] > 0 and player.message.startswith("seed ") and "fell after" in player.message
