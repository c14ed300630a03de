"""The curves over the gait cycle as data: the closed forms of a made walk, and what is drawn is what is told."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from synthetic_gait import JOINT_WAVES, MASS, PEAK_BW, PULSE, healthy_stub, in_3d, synthetic_gait

from mjx_assist.eval.gait import stride_curves
from mjx_assist.eval.gait.events import strides
from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.plots import composite, sheet
from mjx_assist.eval.plots.style import COLORS
from mjx_assist.files.tables import csv_text

pytestmark = pytest.mark.filterwarnings("error")
PERCENT = np.linspace(0, 100, 101)
LATE = np.arcsin(0.02 / PEAK_BW) / np.pi * 60  # % of the cycle until contact is seen
PHASE = (PERCENT + LATE) / 100


@pytest.fixture(scope="module")
def records():
    """Two walks of equal stride number, whose devices push with 30 and 20 N*m."""
    return [synthetic_gait(duration=13.0, device_peak=(-peak, -peak)) for peak in (30.0, 20.0)]


@pytest.fixture(scope="module")
def told(records):
    return stride_curves.summary(records, healthy_stub, 1.25)


def wave(joint, sign=1):
    mean, amplitude, shift = JOINT_WAVES[joint]
    return sign * np.degrees(mean + amplitude * np.sin(2 * np.pi * (PHASE - shift)))


@pytest.mark.parametrize("side", ["right", "left"])
def test_means_are_the_closed_forms_of_the_walk(told, side):
    mean, sd = ({name: np.array(values, float) for name, values in told[side][part].items()} for part in ("mean", "sd"))
    np.testing.assert_allclose(mean["hip_flexion_deg"], wave("hip_flexion"), atol=0.6)
    np.testing.assert_allclose(mean["knee_flexion_deg"], wave("knee_angle", -1), atol=0.6)
    np.testing.assert_allclose(mean["ankle_dorsiflexion_deg"], wave("ankle_angle"), atol=0.6)
    np.testing.assert_allclose(sd["knee_flexion_deg"], 0, atol=1e-4)
    pulse = (PHASE - PULSE[0]) / (PULSE[1] - PULSE[0])
    torque = np.where((pulse > 0) & (pulse < 1), np.sin(np.pi * pulse), 0)
    np.testing.assert_allclose(mean["device_ankle_plantarflexion_torque_nm"], 25 * torque, atol=0.9)
    strides = told[side]["strides"]
    spread = np.std(np.repeat([30.0, 20.0], strides / 2), ddof=1)  # as many strides of each
    np.testing.assert_allclose(sd["device_ankle_plantarflexion_torque_nm"], spread * torque, atol=0.3)
    speed = np.gradient(np.radians(wave("ankle_angle")), 1.1 / 100)  # dorsiflexing
    np.testing.assert_allclose(mean["device_ankle_power_w_per_kg"], -25 * torque * speed / MASS, atol=0.03)
    stance = PHASE < 0.6
    load = np.where(stance, PEAK_BW * np.sin(np.pi * PHASE / 0.6), 0)
    np.testing.assert_allclose(mean["grf_vertical_bw"][5:55], load[5:55], atol=0.02)
    muscle = 0.04 + 0.5 * (0.5 + 0.5 * np.cos(2 * np.pi * (PHASE - 9 / 11))) ** 6
    for name, scale in (("soleus_activation", 1), ("soleus_excitation", 1), ("soleus_force_n", 1000)):
        np.testing.assert_allclose(mean[name], scale * muscle, atol=0.01 * scale)
    np.testing.assert_allclose(
        mean["ankle_plantarflexion_moment_nm_per_kg"],
        mean["ankle_plantarflexion_biological_moment_nm_per_kg"] + 25 * torque / MASS,
        atol=0.01,
    )
    pressed = mean["cop_forward_cm"]
    assert np.isnan(pressed[70:95]).all() and np.isfinite(pressed[10:50]).all()  # a foot in the air has none


def test_mean_and_sd_are_numpys_over_the_strides(records, told):
    """The knee, cut into strides by hand: linear between samples, from one right contact to the next."""
    record = records[0]
    knee = -np.degrees(record.qpos[:, record.joint_names.index("knee_angle_r")])
    spans = [(record.time[s.start], record.time[s.end]) for s in strides(record) if s.side == "right"]
    cut = np.array([np.interp(a + PERCENT / 100 * (b - a), record.time, knee) for a, b in spans])
    one = stride_curves.summary([record], healthy_stub, 1.25)["right"]
    np.testing.assert_allclose(one["mean"]["knee_flexion_deg"], cut.mean(axis=0), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(one["sd"]["knee_flexion_deg"], cut.std(axis=0, ddof=1), rtol=1e-5, atol=1e-9)
    assert one["strides"] == len(spans) and told["right"]["strides"] == 2 * len(spans)


@pytest.mark.parametrize("walker", [lambda record: record, in_3d])
def test_every_curve_that_the_report_draws_is_told(walker):
    record = walker(synthetic_gait(duration=6.0))
    gait = composite.Gait([record], summarize([record]), healthy_stub)
    told = stride_curves.summary([record], healthy_stub, 1.25)
    figure, _ = sheet.composite(gait)
    for foot in ("right", "left"):
        means = [np.array(values, float) for values in told[foot]["mean"].values()]
        drawn = [
            (ax.get_title(loc="left"), line.get_ydata())
            for ax in figure.axes
            for line in ax.lines
            if line.get_color() == COLORS[foot] and len(line.get_xdata()) == 101
        ]
        assert len(drawn) > 25
        for title, curve in drawn:
            assert any(np.allclose(curve, mean, rtol=1e-4, atol=1e-5, equal_nan=True) for mean in means), title


def test_the_healthy_band_is_in_the_same_sign(told):
    percent, mean, sd = healthy_stub("knee_angle", 1.25)
    np.testing.assert_allclose(told["healthy"]["mean"]["knee_flexion_deg"], -np.interp(PERCENT, percent, mean), 1e-5)
    np.testing.assert_allclose(told["healthy"]["sd"]["knee_flexion_deg"], sd[0])
    assert "soleus_force_n" not in told["healthy"]["mean"]
    assert stride_curves.summary([synthetic_gait(duration=4.0)], lambda *_: (PERCENT, *np.full((2, 101), np.nan)), None)


def test_the_table_says_the_same_with_units(records, told):
    text = csv_text(stride_curves.rows(told, records[0]), stride_curves.COLUMNS)
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["curve"] == "knee_flexion_deg"]
    left = [row for row in rows if row["side"] == "left"]
    assert [float(row["mean"]) for row in left] == told["left"]["mean"]["knee_flexion_deg"]
    assert [float(row["gait_cycle_percent"]) for row in left] == list(PERCENT)
    assert {row["unit"] for row in rows} == {"deg"} and {row["side"] for row in rows} == {"right", "left", "healthy"}
    assert len(text.splitlines()[0].split(",")) == len(stride_curves.COLUMNS)


def test_a_prosthetic_side_is_named_and_lacks_what_it_has_lost():
    record = synthetic_gait(duration=6.0)
    names = tuple(name for name in record.joint_names if name not in ("ankle_angle_l", "mtp_angle_l"))
    kept = [record.joint_names.index(name) for name in names]
    arrays = ("qpos", "qvel", "reference_qpos", "joint_moment", "device_moment", "passive_moment", "limit_moment")
    worn = dataclasses.replace(
        record,
        joint_names=(*names, "osl_ankle_angle_l"),
        joint_sign=None,
        device_joints=("ankle_angle_r", "osl_ankle_angle_l"),
        **{name: getattr(record, name)[:, [*kept, record.joint_names.index("ankle_angle_l")]] for name in arrays},
    )
    told = stride_curves.summary([worn], healthy_stub, 1.25)
    assert (told["left"]["limb"], told["right"]["limb"]) == ("prosthetic", "sound")
    assert "ankle_dorsiflexion_deg" not in told["left"]["mean"] and "ankle_dorsiflexion_deg" in told["right"]["mean"]
    assert "device_osl_ankle_angle_torque_nm" in told["left"]["mean"]
    limbs = {(row["side"], row["limb"]) for row in stride_curves.rows(told, worn)}
    assert limbs == {("right", "sound"), ("left", "prosthetic"), ("healthy", "")}
