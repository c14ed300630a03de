"""Events come at the known instants, and chatter, bounces and scuffs change nothing."""

import dataclasses
import itertools

import numpy as np
import pytest
from synthetic_gait import PEAK_BW, synthetic_gait

from mjx_assist.eval.gait import events
from mjx_assist.eval.replay.record import SIDES

STRIDE_TIME, START_PHASE, DURATION, RATE = 1.1, 0.3, 12.0, 240.0


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(DURATION, RATE, STRIDE_TIME, start_phase=START_PHASE)


def with_load(record, change):
    """The record with ``change(load [T, 2] in body weights, phase [T, 2])`` applied to a copy of its vertical load."""
    ground, load = record.ground_reaction.copy(), record.ground_reaction[:, :, 2] / record.body_weight
    phase = np.stack([record.phase, (record.phase - 0.5) % 1], axis=1)
    change(load, phase)
    ground[:, :, 2] = load * record.body_weight
    return dataclasses.replace(record, ground_reaction=ground)


@pytest.mark.parametrize(("side", "delay"), [("right", 0.0), ("left", 0.5)])
def test_strides_start_at_the_known_contacts(record, side, delay):
    contacts = (np.arange(1, 40) - START_PHASE + delay) * STRIDE_TIME
    contacts = contacts[(contacts > 0) & (contacts < DURATION)]
    if delay:  # the left leg's contact of cycle 0 is in the record too
        contacts = np.concatenate([[(0.5 - START_PHASE) * STRIDE_TIME], contacts])
    found = [stride for stride in events.strides(record) if stride.side == side]
    late = np.arcsin(events.CONTACT_OFF / PEAK_BW) / np.pi * 0.6 * STRIDE_TIME  # until the half sine reaches 2 %
    starts = np.array([record.time[stride.start] for stride in found])
    assert len(found) == len(contacts) - 3  # one stride less than contacts, less the first and the last
    np.testing.assert_allclose(starts, contacts[1:-2] + late, atol=1 / RATE)
    np.testing.assert_allclose([record.time[s.toe_off] - record.time[s.start] for s in found], 0.66, atol=2 * late)
    for stride, following in itertools.pairwise(found):
        assert stride.end == following.start
        half = (record.time[stride.opposite_contact] - record.time[stride.start]) / STRIDE_TIME
        assert half == pytest.approx(0.5, abs=0.005)


def chatter(load, phase):
    """The foot strikes and lifts for 30 ms around contact and toe-off: every other sample is in the air or loaded."""
    for foot in range(2):
        near_contact = np.flatnonzero(phase[:, foot] < 0.03)
        load[near_contact[1::2], foot] = 0.0
        near_toe_off = np.flatnonzero(np.abs(phase[:, foot] - 0.58) < 0.015)
        load[near_toe_off[::2], foot] = 0.0


def bounce_and_scuff(load, phase):
    """50 ms off the ground in mid-stance, 30 ms of a quarter body weight in mid-swing."""
    load[(phase > 0.1) & (phase < 0.145)] = 0.0
    load[(phase > 0.8) & (phase < 0.827)] = 0.25


def noise(load, phase):
    """A swinging foot whose sensor reads up to 4 % of body weight, over the lower threshold but not the upper."""
    load[phase > 0.65] += np.random.default_rng(0).uniform(0, 0.04, np.count_nonzero(phase > 0.65))


@pytest.mark.parametrize("change", [chatter, bounce_and_scuff])
def test_short_contacts_and_gaps_change_no_event_by_more_than_a_sample(record, change):
    clean, disturbed = events.strides(record), events.strides(with_load(record, change))
    assert len(disturbed) == len(clean)
    for a, b in zip(clean, disturbed, strict=True):
        assert a.side == b.side
        for name in ("start", "toe_off", "end", "opposite_contact"):
            assert abs(getattr(a, name) - getattr(b, name)) <= 1, name


def test_sensor_noise_below_the_upper_threshold_makes_no_strides(record):
    clean, disturbed = events.strides(record), events.strides(with_load(record, noise))
    assert len(disturbed) == len(clean)
    starts = np.array([[a.start, b.start] for a, b in zip(clean, disturbed, strict=True)])
    assert np.abs(np.diff(starts)).max() <= 6  # as long as the noise stays above the lower threshold by chance


def test_events_do_not_depend_on_the_sampling_rate(record):
    coarse = synthetic_gait(DURATION, 60.0, STRIDE_TIME, start_phase=START_PHASE)
    times = [[r.time[s.start] for s in events.strides(r)] for r in (record, coarse)]
    np.testing.assert_allclose(times[0], times[1], atol=1 / 60)


@pytest.mark.parametrize("duration", [1 / 240, 0.05, 0.8, 2.0])
def test_short_episode_has_no_strides(duration):
    assert events.strides(synthetic_gait(duration)) == []


def test_foot_that_never_leaves_or_never_lands_has_no_strides(record):
    def hop(load, phase):
        load[:, SIDES.index("right")] = 1.0
        load[:, SIDES.index("left")] = 0.0

    assert events.strides(with_load(record, hop)) == []
