"""The four-parameter profile against its defining conditions, splines against scipy, JAX against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from mjx_assist.sim.device import curves

PEAK, TIME, RISE, FALL = 0.54, 52.9, 26.2, 9.8


def test_four_parameter_profile_is_the_two_cubics_of_the_paper():
    """Zhang et al. 2017: zero slope at onset and peak, no curvature at the end; fitted here by scipy, from outside."""
    curve = curves.four_parameter(PEAK, TIME, RISE, FALL)
    rise = CubicSpline([TIME - RISE, TIME], [0, PEAK], bc_type=((1, 0.0), (1, 0.0)))
    fall = CubicSpline([TIME, TIME + FALL], [PEAK, 0], bc_type=((1, 0.0), (2, 0.0)))
    for cubic, percent in ((rise, np.linspace(TIME - RISE, TIME, 50)), (fall, np.linspace(TIME, TIME + FALL, 50))):
        np.testing.assert_allclose(curves.evaluate(curve, percent), cubic(percent), atol=1e-12)


def test_profile_peaks_where_and_as_asked_and_is_zero_outside():
    curve = curves.four_parameter(-40.0, TIME, RISE, FALL)
    percent = np.linspace(0, 100, 100_001)
    torque = curves.evaluate(curve, percent)
    assert percent[torque.argmin()] == pytest.approx(TIME, abs=1e-3)
    assert torque.min() == pytest.approx(-40.0)
    outside = (percent <= TIME - RISE) | (percent >= TIME + FALL)
    np.testing.assert_allclose(torque[outside], 0.0, atol=1e-12)
    assert (torque <= 0).all()


def test_spline_goes_through_its_knots_is_periodic_and_never_leaves_their_range():
    knots, torque = [5.0, 12.0, 50.0, 61.0, 90.0], [0.0, -0.2, -0.6, 0.3, 0.1]
    curve = curves.spline(knots, torque)
    np.testing.assert_allclose(curves.evaluate(curve, np.array(knots)), torque, atol=1e-12)
    ends = curves.evaluate(curve, np.array([0.0, 100.0]))
    assert ends[0] == pytest.approx(ends[1])
    all_of_it = curves.evaluate(curve, np.linspace(0, 100, 2001))
    assert all_of_it.max() <= 0.3 + 1e-12
    assert all_of_it.min() >= -0.6 - 1e-12


def test_curves_are_the_same_in_jax_under_jit_and_vmap():
    percent = np.linspace(0, 100, 333)
    for curve in (curves.four_parameter(PEAK, TIME, RISE, FALL), curves.spline([0, 30, 60], [0.0, 1.0, -1.0])):
        one = jax.jit(jax.vmap(lambda p, curve=curve: curves.evaluate(curve, p, jnp)))
        np.testing.assert_allclose(one(percent), curves.evaluate(curve, percent), atol=1e-4)
