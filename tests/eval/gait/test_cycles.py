"""The filter of ground reactions, and averages over strides, against their closed forms."""

import numpy as np
import pytest
from synthetic_gait import JOINT_WAVES, PEAK_BW, synthetic_gait

from mjx_assist.eval.gait import angles, cycles
from mjx_assist.eval.gait.cycles import stride_average

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(duration=13.0)  # 2 s and ten whole strides


@pytest.mark.parametrize("frequency", [2.0, 10.0, 20.0, 40.0, 80.0])
def test_low_pass_has_the_butterworth_gain_and_no_delay(frequency):
    """Two passes of a 2nd-order Butterworth: gain 1 / (1 + (f / f2)^4), with f2 such that 20 Hz is at -3 dB."""
    time, middle = np.arange(8000) / 2000, slice(2000, 6000)
    wave = np.sin(2 * np.pi * frequency * time)
    gain = 1 / (1 + (2**0.5 - 1) * (frequency / 20) ** 4)
    np.testing.assert_allclose(cycles.low_pass(wave, 1 / 2000, 20.0)[middle], gain * wave[middle], atol=0.002)


def test_low_pass_leaves_alone_what_it_cannot_filter():
    coarse, short = np.random.default_rng(0).normal(size=100), np.ones(5)
    assert cycles.low_pass(coarse, 1 / 30) is coarse  # 20 Hz is over half of 30 Hz
    assert cycles.low_pass(short, 1 / 240) is short


def test_stride_average_is_the_cycle_itself(record):
    average = stride_average(record, angles.model_angle(record, angles.SAGITTAL["knee"]))
    assert average["mean"].shape == average["sd"].shape == (101, 2)
    assert average["strides"] == (9, 9)
    mean, amplitude, shift = JOINT_WAVES["knee_angle"]
    late = np.arcsin(0.02 / PEAK_BW) / np.pi * 60  # percent of the cycle until contact is seen
    phase = (average["percent"] + late) / 100
    expected = np.degrees(mean + amplitude * np.sin(2 * np.pi * (phase - shift)))
    np.testing.assert_allclose(average["mean"], np.stack([expected, expected], axis=1), atol=0.6)
    np.testing.assert_allclose(average["sd"], 0, atol=1e-6)


def test_stride_average_tells_stride_to_stride_spread(record):
    """A quantity that is k in the k-th right stride: mean and sample SD of consecutive whole numbers."""
    number = np.cumsum(np.concatenate([[0], np.diff(record.phase) < 0])).astype(float)
    average = stride_average(record, np.stack([number, number], axis=1))
    counted = np.arange(9)
    assert average["mean"][50, 0] == pytest.approx(number.max() / 2, abs=1)
    assert average["sd"][50, 0] == pytest.approx(counted.std(ddof=1))
