"""Bursts of activity and co-contraction of muscles that are active at known parts of the cycle."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import MUSCLES, in_3d, synthetic_gait, with_box_load

from mjx_assist.eval.gait import emg
from mjx_assist.reference.published import healthy_band

pytestmark = pytest.mark.filterwarnings("error")


def active_during(**windows):
    """A walk whose muscles rest but for the named ones: (onset, offset, level) in % of each leg's own cycle."""
    record = with_box_load(synthetic_gait(duration=13.0))
    activation = np.full_like(record.activation, 0.01)
    for leg, side in enumerate("rl"):
        percent = 100 * ((record.phase - 0.5 * leg) % 1)
        for muscle, (onset, offset, level) in windows.items():
            within = (percent - onset) % 100 < (offset - onset) % 100
            activation[within, MUSCLES.index(f"{muscle}_{side}")] = level
    return dataclasses.replace(record, activation=activation)


def summary(record):
    return emg.emg_summary([record], 1.25)


def test_bursts_start_and_end_where_they_do():
    """One in stance, one through initial contact."""
    found = summary(active_during(soleus=(10, 50, 0.6), tibant=(60, 15, 0.4)))
    for leg in ("right", "left"):
        soleus, tibant = found["soleus"][leg], found["tibant"][leg]
        assert soleus["onset_percent"] == pytest.approx(10, abs=1) and soleus["offset_percent"] == pytest.approx(
            50, abs=1
        )
        assert soleus["on_percent"] == pytest.approx(40, abs=2)
        assert tibant["onset_percent"] == pytest.approx(60, abs=1) and tibant["offset_percent"] == pytest.approx(
            15, abs=1
        )
        assert tibant["on_percent"] == pytest.approx(55, abs=2)
        # published: soleus 3 to 52, tibialis anterior 54 to 9
        assert soleus["onset_late_percent"] == pytest.approx(7, abs=1)
        assert soleus["offset_late_percent"] == pytest.approx(-2, abs=1)
        assert tibant["onset_late_percent"] == pytest.approx(6, abs=1)
        assert soleus["timing_agreement_percent"] == pytest.approx(100 - 7 - 2, abs=2)
        assert tibant["timing_agreement_percent"] == pytest.approx(100 - 6 - 6, abs=2)


def test_published_timing_agrees_with_itself():
    timing = {muscle: emg.PUBLISHED_TIMING[muscle] for muscle in ("gastroc", "vasti", "rectfem", "glutmax")}
    found = summary(active_during(**{muscle: (*window, 0.5) for muscle, window in timing.items()}))
    for muscle in timing:
        assert found[muscle]["both"]["timing_agreement_percent"] == pytest.approx(100, abs=2)
        assert found[muscle]["right"]["onset_late_percent"] == pytest.approx(0, abs=1)


def test_activity_needs_level_and_duration():
    """5 % of the maximum for 5 % of the cycle; the burst that holds the peak counts, not the longest."""
    flags = emg.active(np.r_[np.full(4, 0.9), np.full(40, 0.04), np.full(30, 0.06), np.full(26, 0.0)])
    assert flags[44:74].all() and flags.sum() == 30
    wrapped = np.zeros(100)
    wrapped[[98, 99, 0, 1, 2]] = 0.2
    assert emg.active(wrapped).sum() == 5
    assert emg.active(np.ones(100)).all() and not emg.active(np.zeros(100)).any()
    two = active_during(vasti=(20, 60, 0.1))
    activation = two.activation.copy()
    column = MUSCLES.index("vasti_r")
    activation[(100 * two.phase > 80) & (100 * two.phase < 90), column] = 0.8
    assert summary(dataclasses.replace(two, activation=activation))["vasti"]["right"]["onset_percent"] == pytest.approx(
        80, abs=1
    )


def test_resting_muscle_has_no_onset_and_unpublished_one_no_agreement():
    found = summary(active_during(soleus=(10, 50, 0.6)))
    assert found["edl"]["right"]["on_percent"] == 0 and np.isnan(found["edl"]["right"]["onset_percent"])
    always = summary(active_during(soleus=(0, 99.9999, 0.6)))["soleus"]["right"]
    assert always["on_percent"] >= 99


def test_envelope_correlation_is_one_for_the_envelope_itself():
    record = active_during()
    activation = record.activation.copy()
    for leg, side in enumerate("rl"):
        percent = 100 * ((record.phase - 0.5 * leg) % 1)
        activation[:, MUSCLES.index(f"tibant_{side}")] = np.interp(
            percent, *healthy_band("emg_anterior_tibialis", 1.25)[:2]
        )
    found = summary(dataclasses.replace(record, activation=activation))
    assert found["tibant"]["both"]["envelope_correlation"] > 0.995
    assert np.isnan(found["vasti"]["both"]["envelope_correlation"])


@pytest.mark.parametrize(("overlap", "expected"), [(40, 100.0), (20, 50.0), (0, 0.0)])
def test_cocontraction_of_overlapping_boxes(overlap, expected):
    """Two muscles on at 1 for 40 % of the cycle each: 2 * common / total = the overlap's share of 40 %."""
    record = active_during(vasti=(10, 50, 1.0), hamstrings=(50 - overlap, 90 - overlap, 1.0))
    record = dataclasses.replace(record, activation=np.where(record.activation < 0.5, 0.0, record.activation))
    index = emg.cocontraction_summary([record])["knee_vasti_and_hamstrings"]
    for leg in ("right", "left", "both"):
        assert index[leg]["index_percent"] == pytest.approx(expected, abs=1.0)
        assert index[leg]["sd"] == pytest.approx(0, abs=1.0)


def test_cocontraction_of_unequal_levels_is_falconer_and_winters():
    """0.6 against 0.2 at once: 2 * 0.2 / 0.8 = 50 %; triceps is the mean of its parts (0.4 and 0: 0.2)."""
    both = {"tibant": (0, 50, 0.6), "soleus": (0, 50, 0.4)}
    record = active_during(**both)
    record = dataclasses.replace(record, activation=np.where(record.activation < 0.1, 0.0, record.activation))
    found = emg.cocontraction_summary([record])
    assert found["ankle_tibialis_anterior_and_triceps_surae"]["both"]["index_percent"] == pytest.approx(50, abs=0.5)


def test_pairs_that_a_model_or_a_leg_lacks():
    record = active_during(vasti=(10, 50, 1.0), hamstrings=(30, 70, 1.0))
    assert "hip_abductors_and_adductors" not in emg.cocontraction_summary([in_3d(record)])
    keep = [name != "vasti_r" for name in record.muscle_names]
    per_muscle = ("activation", "excitation", "muscle_length", "muscle_velocity", "muscle_force", "muscle_active_force")
    lost = dataclasses.replace(
        record,
        muscle_names=tuple(np.array(record.muscle_names)[keep]),
        **{name: getattr(record, name)[:, keep] for name in per_muscle},
        **{
            f"muscle_{name}": getattr(record, f"muscle_{name}")[keep]
            for name in ("max_force", "optimal_length", "tendon_length", "max_velocity")
        },
    )
    index = emg.cocontraction_summary([lost])["knee_vasti_and_hamstrings"]
    assert np.isnan(index["right"]["index_percent"]) and index["left"]["index_percent"] == pytest.approx(50, abs=3)
    found = summary(lost)["vasti"]
    assert np.isnan(found["right"]["on_percent"]) and found["left"]["on_percent"] == pytest.approx(40, abs=1)
