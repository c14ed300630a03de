"""The composite draws what was measured, over the healthy band, with units; it is cut where its sections lie."""

import dataclasses
import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from synthetic_gait import JOINTS, healthy_stub, synthetic_gait

from mjx_assist.eval.gait import angles, cycles, loading, summary
from mjx_assist.eval.gait.cycles import stride_average
from mjx_assist.eval.plots import composite, sheet, style
from mjx_assist.eval.plots import muscles as plots_muscles
from mjx_assist.eval.plots.style import png_of, svg

pytestmark = pytest.mark.filterwarnings("error")
CURVE = [{"control_steps": 10_000 * i, "reward": 0.1 * i, "episode_length": 9.0 * i} for i in range(1, 8)]


def gait_of(record, band=healthy_stub, curve=CURVE):
    return composite.Gait([record], summary.summarize([record]), band, curve)


def panels(gait):
    figure, places = sheet.composite(gait)
    return {ax.get_title(loc="left"): ax for ax in figure.axes}, figure, places


def line(ax, side):
    return next(ln for ln in ax.lines if ln.get_color() == style.COLORS[side] and len(ln.get_xdata()) > 2)


@pytest.fixture(scope="module")
def drawn():
    asked = []

    def band(quantity, speed):
        asked.append((quantity, round(speed, 6)))
        return healthy_stub(quantity, speed)

    record = synthetic_gait(left_delay=0.45, device_peak=(-30.0, -20.0), stride_length=1.1)
    axes, figure, places = panels(gait_of(record, band))
    return record, axes, figure, places, asked


def test_curves_are_the_stride_averages_of_each_leg(drawn):
    record, axes, *_ = drawn
    knee = stride_average(record, angles.model_angle(record, angles.SAGITTAL["knee"]))["mean"]
    for foot, side in enumerate(("right", "left")):
        np.testing.assert_allclose(line(axes["Knee"], side).get_ydata(), -knee[:, foot])  # flexion up
        torque = line(axes["Device torque, ankle"], side).get_ydata()
        assert torque.max() == pytest.approx((30, 20)[foot], abs=0.2)  # plantarflexion up
    percent, mean, _ = healthy_stub("knee_angle", 1.0)
    healthy = next(ln for ln in axes["Knee"].lines if ln.get_color() == style.HEALTHY)
    np.testing.assert_allclose(healthy.get_xydata(), np.stack([percent, -mean], axis=1))


def test_every_curve_with_a_published_counterpart_has_its_band_at_the_speed_asked(drawn):
    *_, asked = drawn
    joints = {"hip_flexion", "knee_angle", "ankle_angle", "pelvis_tilt", "grf_vertical", "grf_anterior"}
    kinetics = {f"{joint}_{what}" for joint in ("hip", "knee", "ankle") for what in ("moment", "power")}
    assert {quantity for quantity, _ in asked} == joints | kinetics
    assert {speed for _, speed in asked} == {1.0}


def test_every_axis_names_its_unit(drawn):
    _, axes, *_ = drawn
    without = {
        title for title, ax in axes.items() if title and not any("(" in t for t in (ax.get_ylabel(), ax.get_xlabel()))
    }
    muscles = set(style.MUSCLE_TITLES.values())  # in a grid only the outer ones are labelled; activation has none
    assert without <= muscles


def test_pressure_path_is_where_the_record_puts_it():
    record = synthetic_gait()  # its centre of pressure stays 10 cm ahead of a heel that rests in stance
    path = loading.pressure_path(record)
    pressed = cycles.ground_force(record) > loading.PRESSED
    np.testing.assert_allclose(path[pressed & (record.ground_reaction[:, :, 2] > 0)][:, 0], 0.10, atol=1e-9)
    assert np.isnan(path[~pressed]).all()


def test_published_emg_wraps_around_the_cycle():
    tibialis = {"published_onset_percent": 54, "published_offset_percent": 9}
    assert plots_muscles.published_bursts(tibialis) == [(0.0, 9), (54, 100.0)]
    assert plots_muscles.published_bursts({"published_onset_percent": 3, "published_offset_percent": 52}) == [(3, 52)]
    assert plots_muscles.published_bursts({}) == []


def test_legs_differ_in_line_and_in_grey(drawn):
    assert style.DASHES["right"] != style.DASHES["left"]
    weights = (0.2126, 0.7152, 0.0722)
    grey = [np.dot(to_rgb(colour), weights) for colour in style.COLORS.values()]
    assert max(grey) < 0.6 < np.dot(to_rgb(style.HEALTHY), weights) + 0.01


def test_image_is_cut_into_its_panels(drawn):
    _, _, figure, places, _ = drawn
    image = style.image(figure, dpi=40)
    parts = [part for section in places.values() for part in sheet.cut(image, section, dpi=40)]
    assert all((np.asarray(part.convert("L")) < 128).any() for part in parts)
    whole, rows = np.asarray(image.convert("RGB")), []
    for section in places.values():  # side by side they are the composite again
        for top in dict.fromkeys(place.box[1] for place in section):
            row = sheet.cut(image, [place for place in section if place.box[1] == top], dpi=40)
            rows.append(np.concatenate([np.asarray(part.convert("RGB")) for part in row], axis=1))
    legend = whole.shape[0] - sum(map(len, rows))
    assert 0 < legend < 20
    for row in rows:
        begin = legend + sum(len(other) for other in rows[: next(i for i, r in enumerate(rows) if r is row)])
        np.testing.assert_array_equal(row, whole[begin : begin + len(row), : row.shape[1]])
    reread = Image.open(io.BytesIO(png_of(image, dpi=40)))
    np.testing.assert_array_equal(np.asarray(reread.convert("RGB")), np.asarray(image.convert("RGB")))


def test_svg_keeps_its_letters_and_repeats_itself(drawn):
    _, _, figure, *_ = drawn
    first = svg(figure)
    assert b"Vertical ground reaction</text>" in first
    assert svg(figure) == first


def test_sections_follow_what_there_is():
    record = synthetic_gait(duration=5.0)
    without = dataclasses.replace(
        record, device_torque=np.zeros((record.time.size, 0)), device_names=(), device_joints=(), device="none"
    )
    names = [section.title for section in composite.sections(gait_of(record))]
    assert names == [section.title for section in composite.sections(gait_of(without))][:2] + names[2:]
    assert "Device" in names and "Out of the sagittal plane" not in names
    assert "Device" not in [section.title for section in composite.sections(gait_of(without))]
    gait = gait_of(record, curve=())
    gait.metrics["metabolic"] = {}
    assert "Metabolic power" not in [section.title for section in composite.sections(gait)]
    assert len(composite.sections(gait)[-1].panels) == 1  # no training log, no learning curve


def test_walkers_in_3d_get_their_angles_and_a_path_from_above():
    record = synthetic_gait(duration=6.0)
    more = ("hip_adduction_r", "hip_adduction_l")
    wide = {
        name: np.hstack([getattr(record, name), np.zeros((record.time.size, 2))])
        for name in (
            "qpos",
            "qvel",
            "reference_qpos",
            "joint_moment",
            "device_moment",
            "passive_moment",
            "limit_moment",
        )
    }
    axes, *_ = panels(gait_of(dataclasses.replace(record, joint_names=(*JOINTS, *more), joint_sign=None, **wide)))
    assert axes["Hip adduction"].get_ylabel() == "adduction (deg)"
    assert axes["Centre of pressure"].get_xlabel() == "to the foot's outside (cm)"
