"""The table of stride figures: what it refuses, whom a figure belongs to, and the panels that draw one."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from printed import example
from synthetic_gait import JOINT_WAVES, healthy_stub, in_3d, synthetic_gait

from mjx_assist.errors import UserError
from mjx_assist.eval.gait import angles, events, metrics
from mjx_assist.eval.gait.metrics import StrideMetric, register
from mjx_assist.eval.gait.summary import stride_rows, summarize
from mjx_assist.eval.plots import compare as compare_plots
from mjx_assist.eval.plots import composite, sheet
from mjx_assist.eval.report.gait import write_report
from mjx_assist.eval.report.pages.comparison import write_comparison
from mjx_assist.eval.report.tables import label
from mjx_assist.eval.studies import compare
from mjx_assist.eval.studies.cases import Comparison
from mjx_assist.files.plain import plain

KNEE = "knee_flexion_at_contact_deg"


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(metrics, "METRICS", dict(metrics.METRICS))


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(duration=8.0)


def begin(record):
    return record.time[events.samples(record).start]


def metric(name="begin_s", **changes):
    return StrideMetric(**{"name": name, "title": "Begin", "unit": "s", "function": begin, **changes})


@pytest.mark.parametrize("name", ["speed_m_s", "sd", "activation_mean", "side", "seed", "start_s"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(UserError, match=f"{name}: there is a figure of this name already"):
        register(metric(name))


def test_a_metric_is_registered_once_and_in_a_group_that_exists():
    register(metric())
    with pytest.raises(UserError, match="begin_s: there is a figure"):
        register(metric())
    with pytest.raises(UserError, match="Did you mean 'kinetics'"):
        register(metric("end_of_it_s", group="kinetic"))


def test_a_function_that_gives_no_number_per_stride_is_told(record):
    register(metric(function=lambda record: record.time))
    with pytest.raises(UserError, match=r"begin_s: its function gives an array of shape \(1920,\) for \d+ strides"):
        stride_rows(record)


@pytest.mark.parametrize("name", ["knee, left", "", "2nd_peak_deg"])
def test_what_no_column_can_be_called_is_refused(name):
    with pytest.raises(UserError, match="letters, digits and underscores"):
        metrics.register(dataclasses.replace(next(iter(metrics.METRICS.values())), name=name))


def test_every_row_beside_a_strides_figures_has_a_name_that_is_taken(record):
    assert {*summarize([record])["both"]} - {*metrics.METRICS} <= {*metrics._TAKEN}


def test_a_figure_is_only_in_the_records_that_know_it(record):
    register(metric(known=angles.in_3d))
    assert "begin_s" not in stride_rows(record)[0] and "begin_s" not in summarize([record])["both"]
    assert "begin_s" not in metrics.compared(record)["kinematics"]
    assert stride_rows(in_3d(record))[0]["begin_s"] == begin(record)[0]


def test_a_figure_comes_last_in_its_group_alone(record):
    register(metric(group="metabolic"))
    figures = metrics.compared(record)
    assert [*figures["metabolic"]][-1] == "begin_s" and len(figures["metabolic"]) == 9
    assert [group for group, part in figures.items() if "begin_s" in part] == ["metabolic"]
    assert [*stride_rows(record)[0]][-1] == "begin_s"


def test_a_figure_says_that_its_symmetry_and_its_spread_are_told(record):
    """Right strides are 1, 2, ... n, left ones twice that: means (n + 1) / 2, squares around them n (n² - 1) / 12."""

    def number(record):
        foot = events.samples(record).foot
        return np.concatenate([(leg + 1.0) * np.arange(1, 1 + (foot == leg).sum()) for leg in (0, 1)])

    register(metric("plain_s", function=number))
    register(metric("told_s", function=number, symmetry=True, spread=True))
    told = summarize([record])
    right, left = (told[side]["strides"] for side in ("right", "left"))
    means = (right + 1) / 2, left + 1
    index = 200 * (means[0] - means[1]) / (means[0] + means[1])
    assert told["symmetry"]["index_percent"]["told_s"] == pytest.approx(index)
    squares = right * (right**2 - 1) / 12 + 4 * left * (left**2 - 1) / 12
    assert told["variability"]["told_s"]["sd"] == pytest.approx(np.sqrt(squares / (right + left - 2)))
    assert "plain_s" not in told["symmetry"]["index_percent"] and "plain_s" not in told["variability"]


def test_a_figure_of_each_is_compared_alone(record):
    def order(record, joint):
        return begin(record) + len(joint)

    register(metric("<joint>_late_s", function=order, group="device", each=lambda record: ("hip", "ankle")))
    compared = metrics.compared(record)["device"]
    for joint in ("hip", "ankle"):
        np.testing.assert_array_equal(compared[f"{joint}_late_s"], begin(record) + len(joint))
    assert not any("late" in name for name in [*stride_rows(record)[0], *summarize([record])["both"]])
    assert metrics.drawn() == []
    for name in ("late_s", "<a b>_s"):
        with pytest.raises(UserError, match=r"has a <word> in its name|letters, digits"):
            register(metric(name, each=lambda record: ()))


def test_a_walker_without_muscles_has_no_activation(record):
    series = ("activation", "excitation", "muscle_length", "muscle_velocity", "muscle_force", "muscle_active_force")
    constants = ("max_force", "optimal_length", "tendon_length", "max_velocity")
    without = {name: getattr(record, name)[:, :0] for name in series}
    without |= {f"muscle_{name}": getattr(record, f"muscle_{name}")[:0] for name in constants}
    assert metrics.compared(dataclasses.replace(record, muscle_names=(), **without))["activation"] == {}


def test_a_record_without_strides_has_the_figure_too(record):
    register(metric())
    short = synthetic_gait(duration=0.5)
    assert metrics.figures(short)["begin_s"].shape == (0,) and summarize([short])["both"]["begin_s"] is None


def test_labels_are_the_titles_of_the_table():
    register(metric("knee_whatever_deg", title='Knee at "x"', unit="deg"))
    register(metric("walk_ratio", title="Walk ratio", unit=""))
    assert label("knee_whatever_deg") == 'Knee at "x" (deg)' and label("walk_ratio") == "Walk ratio"
    assert label("ankle_plantarflexion_moment_peak_nm_per_kg") == "Ankle plantarflexion moment peak (N·m/kg)"


@pytest.mark.parametrize("drawn", [True, False])
def test_a_figure_has_a_panel_unless_it_is_drawn_elsewhere(record, drawn):
    """The panel shows each leg's strides at their times; this figure is its own time."""
    register(metric(drawn=drawn))
    figure, places = sheet.composite(composite.Gait([record], summarize([record]), healthy_stub))
    panels = [ax for ax in figure.axes if ax.get_title(loc="left") == "Begin"]
    assert ("Further figures" in places, len(panels)) == (drawn, int(drawn))
    for ax in panels:
        points = [line.get_xydata() for line in ax.lines if line.get_marker() != "None"]
        assert len(points) == 2
        np.testing.assert_array_equal(np.concatenate(points), np.stack([begin(record)] * 2, axis=1))


def test_todays_panels_are_all_there_is_without_a_further_figure(record):
    assert metrics.drawn() == []
    _, places = sheet.composite(composite.Gait([record], summarize([record]), healthy_stub))
    assert "Further figures" not in places


def test_bars_below_zero_are_seen_and_more_panels_than_letters_too(record):
    for number in range(60):
        register(metric(f"ahead_{number}_s", title=f"Ahead {number}", function=lambda record: -begin(record)))
    walks = [compare.Walks("a", 1.25, (compare.episode(record),))]
    panels = [ax for ax in compare_plots.further(walks, compare.rows(walks, "a"), "a").axes if ax.patches]
    assert len(panels) == 60
    for ax in panels:
        assert ax.get_ylim()[0] < -begin(record).mean() < ax.get_ylim()[1]
    sections = composite.sections(composite.Gait([record], summarize([record]), healthy_stub))
    assert next(part for part in sections if part.title == "Further figures").rows == 20
    sheet.composite(composite.Gait([record], summarize([record]), healthy_stub))


def wave_at(stride: dict) -> float:
    """The synthetic knee's flexion, deg, when a row of strides.csv begins."""
    mean, amplitude, shift = JOINT_WAVES["knee_angle"]
    phase = 0.3 + float(stride["start_s"]) / 1.1 - 0.5 * (stride["side"] == "left")
    return -np.degrees(mean + amplitude * np.sin(2 * np.pi * (phase - shift)))


def test_a_gait_figure_is_a_function_and_a_row(tmp_path: Path):
    record = synthetic_gait(duration=8.0)
    assert KNEE not in summarize([record])["both"]  # what was measured before does not hide it
    exec(example("A gait figure"), {})
    write_report(tmp_path, [record])
    strides = list(csv.DictReader((tmp_path / "strides.csv").open()))
    expected = {side: np.mean([wave_at(s) for s in strides if s["side"] == side]) for side in ("right", "left")}
    assert [float(s[KNEE]) for s in strides] == pytest.approx([wave_at(s) for s in strides], abs=0.01)
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert all(told[side][KNEE] == pytest.approx(value, abs=0.01) for side, value in expected.items())
    assert told["both"][KNEE] == summarize([record])["both"][KNEE]
    page = (tmp_path / "report.html").read_text()
    assert "Flexion at contact (deg)" in page and "Further figures" in page


@pytest.mark.slow
def test_a_gait_figure_of_ones_own_is_compared(tmp_path: Path):
    exec(example("A gait figure"), {})
    records = {"a": synthetic_gait(duration=8.0), "b": synthetic_gait(duration=8.0, start_phase=0.301)}
    walks = [compare.Walks(case, 1.25, (compare.episode(record),)) for case, record in records.items()]
    cases = [
        {"case": name, "policy": "p", "controller": {"type": "learned"}, "human": "h", "device": "d"}
        for name in records
    ]
    counts = {"speed_asked_m_s": 1.25, "episodes": 1, "falls": 0, "strides": 1}
    result = {"model": "reduced", "seeds": [0], "steps_asked": 1, "baseline": "a", "cases": cases, "notes": []}
    result |= {"walks": [{"case": name, **counts} for name in records], "figures": compare.rows(walks, "a")}
    page = write_comparison(tmp_path, Comparison(plain(result), walks)).read_text()
    expected = [summarize([record])["both"][KNEE] for record in records.values()]
    for rows in (
        json.loads((tmp_path / "compare.json").read_text())["figures"],
        csv.DictReader((tmp_path / "compare.csv").open()),
    ):
        told = [(row["group"], float(row["mean"])) for row in rows if row["figure"] == KNEE]
        assert told == [("kinematics", pytest.approx(value)) for value in expected]
    assert "Knee flexion at contact (deg)" in page and "Further figures" in page
    assert "Knee flexion at contact" in (tmp_path / "further.svg").read_text()
    (axes, *_) = compare_plots.further(walks, result["figures"], "a").axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(expected)
