"""Margins of stability against the linear inverted pendulum, Lyapunov exponents against systems of known ones."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from synthetic_gait import in_3d, synthetic_gait, with_box_load

from mjx_assist.eval.gait import metrics, stability, summary
from mjx_assist.model.names import GRAVITY

pytestmark = pytest.mark.filterwarnings("error")
STRIDE_TIME, STRIDE_LENGTH = 1.1, 1.375


def pendulum_walker(height=1.0):
    """A linear inverted pendulum that steps s every T: XcoM lands s / (exp(w T) - 1) beyond each new foot."""
    record = with_box_load(synthetic_gait(duration=13.0))
    step, duration, omega = STRIDE_LENGTH / 2, STRIDE_TIME / 2, np.sqrt(GRAVITY / height)
    steps = 2 * (0.3 + record.time / STRIDE_TIME)
    count = np.floor(steps + 1e-9)
    elapsed = (steps - count) * duration
    ahead = step / (np.exp(omega * duration) - 1) * np.exp(omega * elapsed)
    behind = -step / (1 - np.exp(-omega * duration)) * np.exp(-omega * elapsed)
    com, velocity = np.zeros((record.time.size, 3)), np.zeros((record.time.size, 3))
    com[:, 0], com[:, 2] = count * step + (ahead + behind) / 2, height
    velocity[:, 0] = omega * (ahead - behind) / 2
    return dataclasses.replace(record, com_position=com, com_velocity=velocity)


@pytest.mark.parametrize("height", [0.8, 1.0])
def test_margins_of_a_walking_pendulum_are_hofs(height):
    figures = metrics.figures(pendulum_walker(height))
    margin = STRIDE_LENGTH / 2 / (np.exp(np.sqrt(GRAVITY / height) * STRIDE_TIME / 2) - 1)
    growth = margin * np.sqrt(GRAVITY / height) / 240  # contact is seen up to a sample late
    np.testing.assert_allclose(figures["margin_of_stability_backward_m"], margin, atol=growth + 1e-6)
    toes = 0.22  # where the synthetic foot ends; its forefoot's middle is at 0.15
    np.testing.assert_allclose(figures["margin_of_stability_forward_m"], toes - margin, atol=growth + 1e-6)
    assert "margin_of_stability_lateral_m" not in figures


@pytest.mark.parametrize("sway", [0.0, 0.03])
def test_lateral_margin_is_from_the_swaying_mass_to_the_landing_foot(sway):
    """At a contact the sway passes its middle towards the landing foot: XcoM = sway * frequency / w0."""
    walk = in_3d(with_box_load(synthetic_gait(duration=13.0)), step_width=0.12, sway=sway)
    figures = metrics.figures(walk)
    expected = 0.06 - sway * 2 * np.pi / STRIDE_TIME / np.sqrt(GRAVITY / 1.0)
    np.testing.assert_allclose(figures["margin_of_stability_lateral_m"], expected, atol=0.001)


def test_logistic_map_diverges_by_ln_2():
    """x -> 4 x (1 - x) has the Lyapunov exponent ln 2."""
    x = np.empty(4000)
    x[0] = 0.3141592
    for i in range(x.size - 1):
        x[i + 1] = 4 * x[i] * (1 - x[i])
    curve = stability.divergence(x[:, None], 10, 6)
    assert stability.slope(curve[:6]) == pytest.approx(np.log(2), rel=0.05)


def test_lorenz_system_diverges_at_its_known_rate():
    """Lorenz's attractor (16, 45.92, 4) has the exponent 1.50 per s; Rosenstein et al. (1993) come within 2 to 17 %."""

    def lorenz(_, s):
        return [16 * (s[1] - s[0]), s[0] * (45.92 - s[2]) - s[1], s[0] * s[1] - 4 * s[2]]

    dt, time = 0.01, np.arange(0, 80, 0.01)
    states = solve_ivp(lorenz, (0, 80), [1, 1, 30], t_eval=time, rtol=1e-7, atol=1e-7).y.T[500:]
    curve = stability.divergence(states, 100, 100)
    assert stability.slope(curve[20:100]) / dt == pytest.approx(1.50, rel=0.1)


def test_neighbours_are_apart_in_time_and_nearest_of_those():
    states = np.random.default_rng(1).normal(size=(400, 3))
    distance = np.linalg.norm(states[:, None] - states[None], axis=2)
    order = np.arange(400)
    distance[np.abs(order[:, None] - order) <= 150] = np.inf
    expected = np.where(np.isfinite(distance).any(axis=1), distance.argmin(axis=1), -1)
    np.testing.assert_array_equal(stability._nearest(states, 150), expected)


def test_strides_that_differ_part_faster_than_strides_that_repeat():
    """Disturbances of the centre of mass' velocity that are forgotten within a tenth of a stride: neighbours part."""
    record = with_box_load(synthetic_gait(duration=60.0))
    rng, keep = np.random.default_rng(0), np.exp(-10 / (240 * STRIDE_TIME))
    off = np.zeros((record.time.size, 2))
    for i in range(1, len(off)):
        off[i] = keep * off[i - 1] + rng.normal(0, 0.002, 2)
    velocity = record.com_velocity.copy()
    for axis, shift in ((0, 0.0), (2, 1.0)):
        velocity[:, axis] += 0.1 * np.sin(4 * np.pi * record.phase + shift)
    repeats = stability.gait_exponent(dataclasses.replace(record, com_velocity=velocity))
    velocity[:, [0, 2]] += off
    differs = stability.gait_exponent(dataclasses.replace(record, com_velocity=velocity))
    assert repeats[1] == differs[1] > 45
    assert not repeats[0] > 0.1 and differs[0] > 0.5


def test_a_motion_that_repeats_exactly_or_is_too_short_has_no_exponent():
    record = with_box_load(synthetic_gait(duration=30.0))
    assert np.isnan(stability.gait_exponent(record)[0])  # the synthetic centre of mass moves at one speed
    assert np.isnan(stability.gait_exponent(with_box_load(synthetic_gait(duration=8.0)))[0])


def test_falls_are_counted_with_their_times():
    records = [synthetic_gait(duration=13.0), synthetic_gait(duration=9.0, fell=True, seed=1)]
    figures = summary.summarize(records)["stability"]
    assert figures["falls"] == 1 and figures["fall_times_s"] == [pytest.approx(9.0)]
    assert figures["sd"]["margin_of_stability_forward_m"] == pytest.approx(0, abs=1e-3)
