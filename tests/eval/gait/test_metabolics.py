"""Metabolic power against a scalar reading of the papers, in limiting cases, and over a walk with known forces."""

import dataclasses
import math

import mujoco
import numpy as np
import pytest
from synthetic_gait import MUSCLES, synthetic_gait

from mjx_assist.eval.gait.metabolics import STANDING_W_PER_KG, bhargava2004, metabolic_summary, muscle_power
from mjx_assist.model.muscles.energy import muscle_mass, slow_twitch, umberger2010
from mjx_assist.model.muscles.fibres import force_velocity

OPTIMAL, TOP, FULL = 0.08, 10.0, 2000.0  # m, optimal lengths per s, N
MASS = FULL / 250000 * OPTIMAL * 1059.7  # kg


def umberger_per_kg(u, a, length, v, force, iso, slow):
    """W/kg of one muscle at one instant: Umberger et al. (2003) term by term, with the 2010 revisions."""
    drive = u if u > a else (u + a) / 2
    fast = 1 - slow
    top_fast, top_slow = TOP, TOP / 2.5
    am = 128 * fast + 25
    if v <= 0:
        slow_heat = min(4 * 25 / top_slow * -v, 100.0) * slow
        fast_heat = 1 * 153 / top_fast * -v * fast
        sl, scale = slow_heat + fast_heat, drive**2
        work = force * -v * OPTIMAL / MASS
    else:
        sl, scale, work = 0.3 * (4 * 25 / top_slow) * v, drive, 0.0
    if length <= 1:
        heat = am * drive**0.6 * 1.5 + sl * scale * 1.5
    else:
        heat = (0.4 * am + 0.6 * am * iso) * drive**0.6 * 1.5 + sl * iso * scale * 1.5
    return max(heat, 1.0) + work


def bhargava_watt(u, length, v, force, iso_force, slow):
    """W of one muscle at one instant: Bhargava et al. (2004) term by term; v in m/s."""
    s, f = slow * math.sin(math.pi / 2 * u), (1 - slow) * (1 - math.cos(math.pi / 2 * u))
    if length <= 0.5:
        share = 0.5
    elif length <= 1.0:
        share = 0.5 + (length - 0.5)
    else:
        share = max(1.0 - 2 * (length - 1.0), 0.0)
    heat = MASS * (40 * s + 133 * f) + MASS * share * (74 * s + 111 * f)
    heat += -(0.16 * iso_force + 0.18 * force) * v if v <= 0 else -0.157 * force * v
    return max(heat - force * v, 0.0)


def states(n=400, seed=0):
    """n random muscle states over shortening and lengthening, short and long fibres, and the edges between."""
    rng = np.random.default_rng(seed)
    u, a, slow = rng.uniform(size=(3, n))
    length, v = rng.uniform(0.3, 1.7, n), rng.uniform(-TOP, TOP, n)
    length[:10], v[10:20], u[20:30], a[30:40] = 1.0, 0.0, 0.0, 0.0
    iso = np.exp(-((length - 1) ** 2) / 0.45)
    force = a * iso * FULL * force_velocity(v / TOP)
    return u, a, slow, length, v, iso, force


def test_umberger_is_the_papers_terms_one_by_one():
    u, a, slow, length, v, iso, force = states()
    got = umberger2010(u, a, length, v, TOP, force, iso, OPTIMAL, MASS, slow)
    rows = zip(u, a, length, v, force, iso, slow, strict=True)
    expected = [MASS * umberger_per_kg(*map(float, row)) for row in rows]
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert got.min() > 0


def test_bhargava_is_the_papers_terms_one_by_one():
    u, a, slow, length, v, iso, force = states()
    iso_force = a * iso * FULL
    got = bhargava2004(u, length, v * OPTIMAL, force, iso_force, MASS, slow)
    rows = zip(u, length, v * OPTIMAL, force, iso_force, slow, strict=True)
    np.testing.assert_allclose(got, [bhargava_watt(*map(float, row)) for row in rows], rtol=1e-12, atol=1e-12)
    assert (got[v > 5] == 0).any() and got.min() == 0  # a strong stretch costs nothing, and gives nothing back


def test_isometric_contraction_costs_only_activation_and_maintenance():
    got = umberger2010(1.0, 1.0, 1.0, 0.0, TOP, FULL, 1.0, OPTIMAL, MASS, 0.5)
    assert got == pytest.approx(MASS * 1.5 * (128 * 0.5 + 25))
    assert bhargava2004(1.0, 1.0, 0.0, FULL, FULL, MASS, 0.5) == pytest.approx(MASS * 0.5 * (40 + 74 + 133 + 111))


def test_a_silent_muscle_costs_the_least_heat_or_nothing():
    assert umberger2010(0.0, 0.0, 0.9, -3.0, TOP, 0.0, 1.0, OPTIMAL, MASS, 0.5) == pytest.approx(MASS)
    assert bhargava2004(0.0, 0.9, -0.2, 0.0, 0.0, MASS, 0.5) == 0.0


def test_fastest_shortening_does_no_work_and_its_slow_fibres_are_capped():
    slow_only = umberger2010(1.0, 1.0, 1.0, -TOP, TOP, 0.0, 1.0, OPTIMAL, MASS, 1.0)
    assert slow_only == pytest.approx(MASS * 1.5 * (25 + 100))
    fast_only = umberger2010(1.0, 1.0, 1.0, -TOP, TOP, 0.0, 1.0, OPTIMAL, MASS, 0.0)
    assert fast_only == pytest.approx(MASS * 1.5 * (153 + 153))


@pytest.mark.parametrize("speed", [0.05, 0.2, 0.4])
def test_efficiency_of_shortening_is_a_muscles(speed):
    """Work over metabolic power at full drive on Hill's (1938) curve: 0.1 to a good 0.5, as in isolated muscle."""
    force = FULL * (1 - speed) / (1 + speed / 0.25)
    work = force * speed * TOP * OPTIMAL
    for power in (
        umberger2010(1.0, 1.0, 1.0, -speed * TOP, TOP, force, 1.0, OPTIMAL, MASS, 0.5),
        bhargava2004(1.0, 1.0, -speed * TOP * OPTIMAL, force, FULL, MASS, 0.5),
    ):
        assert 0.1 < work / power < 0.55


def test_force_velocity_is_mujocos_own():
    speed = np.linspace(-1.2, 1.2, 97)
    optimal, prm = 1.0, np.array([0.5, 1.5, 1.0, 1.0, 0.0, 2.0, TOP, 1.3, 1.4])
    got = [-mujoco.mju_muscleGain(1.0, v * TOP * optimal, np.array([0.5, 1.5]), 1.0, prm) for v in speed]
    np.testing.assert_allclose(force_velocity(speed), got, atol=1e-12)


def test_record_gives_back_the_muscles_force_length():
    """Dividing activation and force-velocity out of the active force leaves the factor that made it."""
    record = synthetic_gait(duration=5.0)
    factor = 0.8
    v = record.muscle_velocity / record.muscle_optimal_length
    force = record.activation * factor * 1000 * force_velocity(v / TOP)
    record = dataclasses.replace(record, muscle_active_force=force)
    length = (record.muscle_length - 0.2) / 0.1
    slow, mass = slow_twitch(MUSCLES), muscle_mass(np.full(22, 1000.0), np.full(22, 0.1))
    powers = muscle_power(record)
    expected = umberger2010(
        record.excitation, record.activation, length, v, TOP, force, factor, record.muscle_optimal_length, mass, slow
    )
    np.testing.assert_allclose(powers["umberger2010"], expected, rtol=1e-9)
    iso_force = record.activation * factor * 1000
    expected = bhargava2004(record.excitation, length, record.muscle_velocity, force, iso_force, mass, slow)
    np.testing.assert_allclose(powers["bhargava2004"], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("model", ["umberger2010", "bhargava2004"])
def test_summary_adds_up_and_keeps_the_resting_rate_apart(model):
    record = synthetic_gait()
    got = metabolic_summary([record, record])[model]
    assert got == metabolic_summary([record])[model]
    assert got["power_w_per_kg"] == pytest.approx(sum(got["per_muscle"].values()))
    assert got["basal_w_per_kg"] == STANDING_W_PER_KG == 1.2
    assert got["total_w_per_kg"] == pytest.approx(got["power_w_per_kg"] + 1.2)
    assert got["cost_of_transport_j_per_kg_m"] == pytest.approx(got["total_w_per_kg"] / 1.25, rel=1e-3)
    assert set(got["per_muscle"]) == set(MUSCLES)


@pytest.mark.parametrize("model", ["umberger2010", "bhargava2004"])
def test_power_is_linear_in_muscle_mass(model):
    record = synthetic_gait()
    strong = dataclasses.replace(
        record,
        muscle_max_force=2 * record.muscle_max_force,
        muscle_force=2 * record.muscle_force,
        muscle_active_force=2 * record.muscle_active_force,
    )
    once, twice = (metabolic_summary([r])[model] for r in (record, strong))
    assert twice["muscle_mass_kg"] == pytest.approx(2 * once["muscle_mass_kg"])
    assert twice["power_w_per_kg"] == pytest.approx(2 * once["power_w_per_kg"])
    assert twice["basal_w_per_kg"] == once["basal_w_per_kg"]


def test_the_mean_is_over_whole_strides():
    """A muscle that works in one burst per stride costs the same wherever the record begins and ends."""
    costs = [
        metabolic_summary([synthetic_gait(duration=d, start_phase=p)])["umberger2010"]["power_w_per_kg"]
        for d, p in ((8.0, 0.0), (8.4, 0.3), (8.8, 0.7))
    ]
    np.testing.assert_allclose(costs, costs[0], rtol=2e-3)


@pytest.mark.parametrize(
    "name, share",
    [
        ("soleus_r", 0.803),
        ("glutmax_l", 0.55),
        ("glmed2_r", 0.55),
        ("vaslat_r", 0.455),
        ("sart_l", 0.5),
        ("add_r", 0.5),
    ],
)
def test_fibre_types_go_by_the_beginning_of_the_name(name, share):
    assert slow_twitch([name])[0] == share


def test_a_record_without_strides_is_still_measured():
    record = synthetic_gait(duration=0.8)
    assert metabolic_summary([record])["umberger2010"]["power_w_per_kg"] > 0
