"""Steps, strides and supports of walkers whose answers are known, with noise, lost and extra contacts, and in 3-D."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import in_3d, synthetic_gait, with_box_load, with_force_noise, without_load

from mjx_assist.eval.gait import events, metrics, spatiotemporal
from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.replay.record import SIDES

pytestmark = pytest.mark.filterwarnings("error")
STRIDE_TIME, STRIDE_LENGTH, RATE = 1.1, 1.375, 240.0
SAMPLE = 100 / (STRIDE_TIME * RATE)  # % of the cycle


@pytest.fixture(scope="module")
def record():
    return with_box_load(synthetic_gait(duration=13.0))


def means(record, side=None):
    chosen = np.array([side in (None, stride.side) for stride in events.strides(record)], bool)
    ours = [
        m.name for m in metrics.METRICS.values() if getattr(m.function, "__module__", "") == spatiotemporal.__name__
    ]
    figures = metrics.figures(record)
    return {name: figures[name][chosen].mean() for name in ours if name in figures}


@pytest.mark.parametrize("stance", [0.55, 0.6, 0.7])
def test_supports_follow_from_the_stance_of_both_legs(stance):
    """Legs half a cycle apart: double support 2 stance - 1, single support 1 - stance of the cycle."""
    figures = means(with_box_load(synthetic_gait(duration=13.0), stance))
    assert figures["stance_percent"] == pytest.approx(100 * stance, abs=SAMPLE)
    assert figures["swing_percent"] == pytest.approx(100 * (1 - stance), abs=SAMPLE)
    assert figures["double_support_percent"] == pytest.approx(100 * (2 * stance - 1), abs=2 * SAMPLE)
    assert figures["single_support_percent"] == pytest.approx(100 * (1 - stance), abs=2 * SAMPLE)
    assert figures["stance_time_s"] == pytest.approx(stance * STRIDE_TIME, abs=1 / RATE)
    assert figures["swing_time_s"] + figures["stance_time_s"] == pytest.approx(figures["stride_time_s"])


def test_a_limp_gives_each_leg_its_own_supports():
    """Right foot down 0..0.7, left 0.45..0.95 of the right cycle: the right one alone 0..0.45, the left 0.7..0.95."""
    walk = synthetic_gait(duration=13.0, left_delay=0.45)
    ground = np.zeros_like(walk.ground_reaction)
    for foot, (delay, stance) in enumerate(((0.0, 0.7), (0.45, 0.5))):
        ground[:, foot, 2] = np.where((walk.phase - delay) % 1 < stance, walk.body_weight, 0.0)
    limp = dataclasses.replace(walk, ground_reaction=ground)
    right, left = means(limp, "right"), means(limp, "left")
    assert right["single_support_percent"] == pytest.approx(45, abs=2 * SAMPLE)
    assert left["single_support_percent"] == pytest.approx(25, abs=2 * SAMPLE)
    assert right["double_support_percent"] == pytest.approx(25, abs=2 * SAMPLE)
    assert left["double_support_percent"] == pytest.approx(25, abs=2 * SAMPLE)
    assert right["step_time_s"] == pytest.approx(0.55 * STRIDE_TIME, abs=1 / RATE)
    assert left["step_time_s"] == pytest.approx(0.45 * STRIDE_TIME, abs=1 / RATE)


def test_step_width_is_that_of_a_3d_walker_and_unknown_to_a_planar_one(record):
    assert "step_width_m" not in metrics.figures(record)
    for width in (0.12, 0.0, -0.03):  # the last crosses its feet
        assert metrics.figures(in_3d(record, width))["step_width_m"] == pytest.approx(width)
    summary = summarize([in_3d(record, 0.12)])
    assert summary["both"]["step_width_m"] == pytest.approx(0.12)
    assert summary["variability"]["step_width_m"]["sd"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sd", [0.002, 0.005, 0.01])
def test_force_plate_noise_changes_no_figure(sd):
    """Up to 1 % of body weight (7 N here, RMS); a contact moves by what the noise adds to the lower threshold."""
    clean, noisy = (means(r) for r in (synthetic_gait(duration=30.0), with_force_noise(synthetic_gait(30.0), sd)))
    for name, value in clean.items():
        tolerance = {"m": 0.003, "s": 0.006, "percent": 0.6}.get(name.rsplit("_", 1)[1], 0.01 * abs(value))
        assert noisy[name] == pytest.approx(value, abs=tolerance), name


def test_lost_contact_costs_its_strides_and_changes_no_mean(record):
    """One left stance is lost: the left stride over the gap and the right ones beside it do not count."""
    clean = means(record)
    lost = without_load(record, SIDES.index("left"), 5.6, 6.5)
    found = events.strides(lost)
    assert events.left_out(record) == 0 < events.left_out(lost) <= 4
    assert len(found) == len(events.strides(record)) - events.left_out(lost) - 1  # two left strides had become one
    for name, value in means(lost).items():
        assert value == pytest.approx(clean[name], rel=1e-3), name
    assert any("do not land in turn" in note for note in summarize([lost])["notes"])


def test_a_stumble_in_swing_is_no_stride(record):
    """The right foot bears 0.4 BW for 0.15 s in mid-swing: long enough for a contact, but not its turn."""
    ground = record.ground_reaction.copy()
    begin = np.flatnonzero((record.time > 5) & (np.abs(record.phase - 0.72) < 0.002))[0]
    ground[begin : begin + round(0.15 * RATE), 0, 2] = 0.4 * record.body_weight
    stumble = dataclasses.replace(record, ground_reaction=ground)
    assert events.left_out(stumble) > 0
    assert means(stumble)["stride_time_s"] == pytest.approx(STRIDE_TIME, abs=1e-6)


def test_a_hopper_has_strides_without_steps(record):
    """The left foot never lands: the right one's strides are told, steps and double support are not."""
    hop = without_load(record, SIDES.index("left"), 0.0, 99.0)
    summary = summarize([hop])
    assert summary["right"]["stride_time_s"] == pytest.approx(STRIDE_TIME)
    assert summary["right"]["step_time_s"] is None and summary["right"]["double_support_percent"] == 0
    assert summary["left"]["strides"] == 0
    assert "Seed 0: the left foot never touches the ground." in summary["notes"]


@pytest.mark.parametrize("rate", [30.0, 60.0, 1000.0])
def test_figures_do_not_depend_on_the_sampling_rate(record, rate):
    figures, wanted = means(with_box_load(synthetic_gait(duration=13.0, rate=rate))), means(record)
    for name in ("stride_time_s", "stride_length_m", "step_length_m", "speed_m_s", "step_time_s"):
        assert figures[name] == pytest.approx(wanted[name], rel=2 / rate), name
