"""Heel strikes and the gait phase on synthetic loads whose truth is known: noise, bounces, scuffs, changing strides."""

import numpy as np
import pytest

from mjx_assist.sim.device import strides

DT = 1 / 30


def loads(stride_times, stance=0.6, bounce=False, noise=0.0, seed=0):
    """(load [T, 2] in body weights at 30 Hz, times of the right foot's heel strikes); the left leg is half a stride
    late. ``bounce``: after 60 ms of contact the foot is in the air for 60 ms."""
    strikes = np.concatenate([[0.3], 0.3 + np.cumsum(stride_times)])
    time = np.arange(0, strikes[-1] + 0.2, DT)
    result = np.zeros((time.size, 2))
    for foot in range(2):
        begins = strikes if foot == 0 else 0.5 * (strikes[1:] + strikes[:-1])
        for begin, length in zip(begins, [*stride_times, stride_times[-1]], strict=False):
            since = time - begin
            on = (since >= 0) & (since < stance * length)
            if bounce:
                on &= ~((since >= 0.06) & (since < 0.12))
            result[on, foot] = 1.0
    return np.maximum(result + noise * np.random.default_rng(seed).normal(size=result.shape), 0), strikes, time


def follow(load):
    """Each step's clock after it, and the percent that the coming step will use."""
    clock, clocks, percents, walks = strides.start(), [], [], []
    for now in load:
        clock = strides.advance(clock, now, DT)
        clocks.append(clock)
        percent, walking = strides.percent(clock, DT)
        percents.append(percent)
        walks.append(walking)
    return clocks, np.array(percents), np.array(walks)


def detected(clocks, time, foot=0):
    """Times at which the clock says a heel strike was."""
    return [t - 0.5 * DT for c, t in zip(clocks, time, strict=True) if c.since_strike_s[foot] == 0.5 * DT]


@pytest.mark.parametrize("bounce", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.006])
def test_each_heel_strike_is_found_once_within_half_a_control_step(bounce, noise):
    load, strikes, time = loads([1.1] * 12, bounce=bounce, noise=noise)
    clocks, _, _ = follow(load)
    np.testing.assert_allclose(detected(clocks, time), strikes, atol=0.5 * DT + 1e-9)


def test_load_chattering_between_the_thresholds_is_no_heel_strike():
    load, strikes, time = loads([1.1] * 6)
    swing = load == 0
    load[swing] = np.where(np.arange(swing.sum()) % 2, 0.045, 0.0)  # below CONTACT_ON, above CONTACT_OFF
    clocks, _, _ = follow(load)
    np.testing.assert_allclose(detected(clocks, time), strikes, atol=0.5 * DT + 1e-9)


def test_phase_follows_a_stride_that_changes_within_the_last_three():
    load, strikes, time = loads([1.1] * 5 + [0.9] * 8)
    clocks, percents, _ = follow(load)
    np.testing.assert_allclose(clocks[-1].stride_s[0].mean(), 0.9, atol=0.5 * DT)
    late = (time > strikes[-4]) & (time < strikes[-1])
    begin = strikes[np.searchsorted(strikes, time[late], side="right") - 1]
    truth = 100 * (time[late] + 0.5 * DT - begin) / 0.9  # in the middle of the coming control step
    error = percents[late, 0] - np.minimum(truth, 100)
    assert np.abs(error).max() < 100 * DT / 0.9  # a control step; half of it in the mean
    assert np.abs(error).mean() < 50 * DT / 0.9


def test_nothing_is_known_before_the_first_heel_strike_and_after_walking_ends():
    load, strikes, time = loads([1.1] * 4)
    load = np.concatenate([load, np.ones((90, 2))])  # then it stands
    _, _, walks = follow(load)
    assert not walks[time.searchsorted(strikes[0]) - 1, 0]
    assert walks[time.searchsorted(strikes[2]) + 3, 0]
    assert not walks[-1].any()


def test_a_scuff_in_mid_swing_does_not_spoil_the_estimate_of_the_stride():
    load, strikes, time = loads([1.1] * 8)
    load[time.searchsorted(strikes[4] + 0.9), 0] = 0.2
    clocks, _, _ = follow(load)
    np.testing.assert_allclose(clocks[-1].stride_s[0], 1.1, atol=DT)
