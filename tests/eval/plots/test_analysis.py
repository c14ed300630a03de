"""Figures of one walk in full show every stride, every muscle and every sensor that moved."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.eval.gait import cycles, events
from mjx_assist.eval.gait.angles import SAGITTAL
from mjx_assist.eval.plots import analysis


@pytest.fixture(scope="module")
def record():
    return synthetic_gait()


def lines(ax):
    return [line for line in ax.lines if len(line.get_xdata()) > 2]  # not the one at zero


def test_a_thin_line_for_every_stride_of_a_leg_in_the_reports_sign(record):
    axes = np.reshape(analysis.every_stride(record).axes, (2, len(SAGITTAL)))
    for row, side in enumerate(("right", "left")):
        count = sum(stride.side == side for stride in events.strides(record))
        assert [len(lines(ax)) for ax in axes[row]] == [count] * len(SAGITTAL)
    knee = record.column(record.qpos, "knee_angle_r")
    drawn = np.concatenate([line.get_ydata() for line in lines(axes[0, 1])])
    assert drawn.max() == pytest.approx(np.degrees(-knee).max(), abs=1.0)  # flexion is upwards


def test_strides_are_coloured_by_their_speed(record):
    speed = record.qvel.copy()
    forward = record.joint_names.index("pelvis_tx")
    speed[:, forward] = np.linspace(0.8, 1.6, len(speed))
    figure = analysis.by_speed(dataclasses.replace(record, qvel=speed))
    colors = [line.get_color() for line in lines(figure.axes[0])]
    assert len(set(map(tuple, colors))) == len(events.strides(record))
    assert figure.axes[-1].get_ylabel() == "speed of the stride (m/s)"


def test_a_panel_for_every_muscle_with_the_mean_of_each_side(record):
    figure = analysis.of_muscles(record, record.muscle_force, "force (N)")
    names = cycles.muscles(record)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in shown] == names
    column = record.muscle_names.index(f"{names[0]}_r")
    series = np.repeat(record.muscle_force[:, [column]], 2, axis=1)
    expected = np.mean(cycles.stride_cycles(record, series)[0], axis=0)
    np.testing.assert_allclose(shown[0].lines[0].get_ydata(), expected)


def test_sensors_that_never_moved_are_left_out(record):
    sensors = record.sensors.copy()
    sensors[:, 0] = 5.0
    figure = analysis.over_time(dataclasses.replace(record, sensors=sensors))
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert f"Sensor {record.sensor_names[0]}" not in titles
    assert [t for t in titles if t.startswith("Sensor")] == [
        f"Sensor {name}" for name, column in zip(record.sensor_names, sensors.T, strict=True) if np.ptp(column) > 0
    ]
