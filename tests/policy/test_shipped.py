"""What the README claims of the shipped policy, on fewer seeds (all ten with -m slow)."""

import pytest

from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.replay.replay import replay
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles

STEPS = 1000


@pytest.fixture(scope="module")
def shipped():
    return bundles.load(data_path("models", "policies", "walk22_exo"))


def assert_healthy(metrics):
    assert metrics["falls"] == 0
    assert all(episode["steps"] == STEPS for episode in metrics["per_episode"])
    assert metrics["speed_m_s"] == pytest.approx(1.25, abs=0.1)
    both = metrics["both"]
    for joint, (correlation, rmse) in {"hip": (0.95, 6), "knee": (0.95, 8), "ankle": (0.75, 8)}.items():
        assert both["corr_reference"][joint] >= correlation, joint
        assert both["rmse_deg"][joint] <= rmse, joint
    assert both["grf_peak_bw"] <= 1.6 and both["grf_peak_unfiltered_bw"] <= 1.6
    assert 55 <= both["stance_percent"] <= 67


def test_walks_like_a_healthy_person_on_the_reduced_model(shipped):
    assert_healthy(summarize([replay(shipped, steps=STEPS, seed=seed) for seed in range(2)]))


def test_the_device_assists_push_off_and_leaves_swing_alone(shipped):
    device = summarize([replay(shipped, steps=400, seed=0)])["device"]["ankle_angle"]["both"]
    assert device["torque_peak_nm"] > 10
    assert device["push_off_positive_work_j_per_kg"] > 0.02
    assert device["swing_torque_fraction"] < 0.1


def test_walks_on_the_full_model(shipped):
    record = replay(shipped, "full", steps=300, seed=0)
    assert not record.fell and record.time[-1] > 9.9


def test_the_3d_walker_walks_and_its_legs_do_alike():
    """One network serves both legs, so what adducts on the right must be told as adduction on the left."""
    record = replay(bundles.load(data_path("models", "policies", "walk26")), steps=300, seed=0)
    metrics = summarize([record])
    assert not record.fell and metrics["speed_m_s"] == pytest.approx(1.25, abs=0.1)
    for figure in ("hip_adduction_peak_deg", "hip_abduction_peak_deg", "hip_internal_rotation_peak_deg"):
        right, left = (metrics[side][figure] for side in ("right", "left"))
        assert right == pytest.approx(left, abs=2.0) and right > 3.0, figure
    moments = [metrics[side]["hip_abduction_moment_peak_nm_per_kg"] for side in ("right", "left")]
    assert min(moments) > 0.5  # abductors hold the pelvis on either leg


@pytest.mark.parametrize(("name", "level"), [("walk22_osl_a", "transtibial"), ("walk22_osl_ka", "transfemoral")])
@pytest.mark.parametrize("model", ["reduced", pytest.param("full", marks=pytest.mark.slow)])
def test_people_with_a_prosthesis_walk(name, level, model):
    record = replay(bundles.load(data_path("models", "policies", name)), model, steps=300, seed=0)
    metrics = summarize([record])
    assert not record.fell and metrics["speed_m_s"] == pytest.approx(1.25, abs=0.15)
    assert (metrics["one_sided"]["level"], metrics["one_sided"]["prosthetic_side"]) == (level, "right")


@pytest.mark.slow
def test_ten_seeds_on_both_models(shipped):
    assert_healthy(summarize([replay(shipped, steps=STEPS, seed=seed) for seed in range(10)]))
    assert sum(replay(shipped, "full", steps=STEPS, seed=seed).fell for seed in range(10)) <= 2
