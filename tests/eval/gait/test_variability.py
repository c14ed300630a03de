"""Spread of strides that vary by known amounts."""

import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.eval.gait import summary, variability
from mjx_assist.eval.replay.record import SIDES

pytestmark = pytest.mark.filterwarnings("error")


def rows(right, left):
    """Stride rows with these stride times."""
    legs = dict(zip(SIDES, (right, left), strict=True))
    return [{"side": side, "stride_time_s": value} for side, values in legs.items() for value in values]


def test_spread_is_within_legs_and_episodes():
    """Legs at 1.0 and 1.2 s, another episode at 2 s: none of these differences is stride-to-stride variability."""
    episodes = [rows([0.9, 1.0, 1.1], [1.1, 1.2, 1.3]), rows([2.0, 2.0, 2.0], [2.0, 2.0, 2.0])]
    found = variability.variability_summary(episodes)
    sd = np.sqrt((0.02 + 0.02) / (4 * 2))  # squares over (n - 1) of each of four groups
    assert found["stride_time_s"]["sd"] == pytest.approx(sd)
    assert found["stride_time_s"]["cv_percent"] == pytest.approx(100 * sd / np.mean([1.0, 1.2, 2.0, 2.0]))
    assert "stride_length_m" not in found


def test_single_stride_has_no_spread():
    found = variability.variability_summary([rows([1.0], [])])
    assert np.isnan(found["stride_time_s"]["sd"]) and np.isnan(found["stride_time_s"]["cv_percent"])


def test_synthetic_gait_varies_by_nothing():
    found = summary.summarize([synthetic_gait(duration=13.0)])["variability"]
    assert found["stride_time_s"]["cv_percent"] == pytest.approx(0, abs=1e-6)


def test_symmetry_index_is_robinsons():
    assert variability.symmetry_index(1.1, 0.9) == pytest.approx(20)
    assert variability.symmetry_index(1.0, 1.0) == 0
    assert np.isnan(variability.symmetry_index(0.0, 0.0))
