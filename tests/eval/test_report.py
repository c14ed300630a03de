"""The report is one page that needs nothing else, agrees with metrics.json, and survives an early fall."""

import base64
import dataclasses
import html.parser
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from synthetic_gait import healthy_stub, synthetic_gait

from mjx_assist.errors import UserError
from mjx_assist.eval import metrics, plots, report

pytestmark = pytest.mark.filterwarnings("error")
CURVE = [
    {
        "control_steps": 10_000 * i,
        "wall_s": 2.0 * i,
        "reward": 0.1 * i,
        "episode_length": 9.0 * i,
        "steps_per_s": 5000.0,
    }
    for i in range(1, 8)
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report") / "new" / "folder"
    records = [synthetic_gait(seed=1), synthetic_gait(seed=2, fell=True)]
    picture = directory.parent.parent / "strip.png"
    picture.write_bytes(plots.png(plots.Figure(figsize=(2, 1))))
    returned = report.write_report(
        directory,
        records,
        [*CURVE, {"control_steps": 80_000, "extra": "ignored"}],
        "A walk & <b>more</b>",
        {"config": "walk22_exo.json", "<i>": float("nan")},
        healthy_stub,
        [("The walker's strip", picture)],
    )
    return directory, records, returned


class Page(html.parser.HTMLParser):
    """Collects every attribute value and the text; complains about tags that do not close in order."""

    VOID = ("meta", "img")

    def __init__(self, text):
        super().__init__()
        self.attributes, self.text, self.open, self.images = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(written):
    return Page((written[0] / report.PAGE).read_text())


def test_page_refers_to_nothing_outside_itself(written, page):
    sources = [value for _, name, value in page.attributes if name in ("src", "href", "srcset", "data")]
    assert len(sources) == 2
    assert all(value.startswith("data:image/png;base64,") for value in sources)
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", (written[0] / report.PAGE).read_text())
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<iframe", text)


def test_page_holds_the_composite_and_the_pictures(written, page):
    images = [base64.b64decode(value.split(",")[1]) for _, name, value in page.attributes if name == "src"]
    assert images[1] == (written[0] / report.COMPOSITE).read_bytes()
    assert images[0] == (written[0].parent.parent / "strip.png").read_bytes()
    assert images[1].startswith(b"\x89PNG")


def test_metrics_file_is_what_was_returned_and_what_metrics_measure(written):
    directory, records, returned = written
    stored = json.loads((directory / report.METRICS).read_text())
    assert stored == returned
    measured = metrics.summarize(records)
    assert {key: stored[key] for key in measured} == measured
    assert stored["info"] == {"config": "walk22_exo.json", "<i>": None}
    assert stored["training"]["control_steps"] == 80_000
    assert stored["training"]["reward"] is None


def test_directory_holds_the_three_files_and_no_leftovers(written):
    assert sorted(path.name for path in written[0].iterdir()) == sorted([report.PAGE, report.COMPOSITE, report.METRICS])


def test_page_says_the_headline_and_escapes_what_it_is_given(written, page):
    text = " ".join(page.text)
    assert "A walk & <b>more</b>" in text
    assert "no: fell in 1 of 2 episodes, the first time after 12.0 s" in text
    assert "Seed 2: fell after 12.00 s." in text
    for what, measured, wanted in report.headline(written[2], healthy_stub):
        assert what in text and measured in text and wanted in text


def test_headline_gives_the_measured_numbers(written):
    rows = {what: (measured, wanted) for what, measured, wanted in report.headline(written[2], healthy_stub)}
    assert rows["Speed (m/s)"] == ("1.25", "asked 1.25")
    assert rows["Cadence (steps/min)"] == ("109", "healthy about 107")  # Sekiya and Nagasaki's walk ratio at 1.25 m/s
    assert rows["Peak vertical ground reaction (BW): 20 Hz, unfiltered"][0] == "1.20 / 1.20"
    assert rows["Device peak torque, ankle (N·m)"][0] == "30.0"


def test_early_falls_are_reported_plainly(tmp_path):
    fallen = [synthetic_gait(duration=0.8, fell=True), synthetic_gait(duration=1 / 240, fell=True, seed=1)]
    returned = report.write_report(tmp_path, fallen, None, "Fallen", {}, healthy_stub)
    text = " ".join(Page((tmp_path / report.PAGE).read_text()).text)
    assert "no: fell in 2 of 2 episodes" in text
    assert "Seed 0: fell after 0.80 s." in text and "Seed 1: fell after 0.00 s." in text
    assert "No complete stride" in text
    assert ("Stance (% of cycle)", "not available") in [row[:2] for row in report.headline(returned, healthy_stub)]
    assert returned["training"] is None


def test_walker_without_device_over_the_shipped_healthy_band(tmp_path):
    record = synthetic_gait(duration=5.0)
    bare = dataclasses.replace(
        record, device_torque=np.zeros((record.time.size, 0)), device_names=(), device_joints=(), device="none"
    )
    returned = report.write_report(tmp_path, [bare], CURVE, "Bare", {})
    rows = {what: wanted for what, _, wanted in report.headline(returned)}
    assert not [what for what in rows if what.startswith("Device")]
    healthy = re.match(r"healthy (\d\.\d+) ±", rows["Peak vertical ground reaction (BW): 20 Hz, unfiltered"])
    assert 1.0 < float(healthy[1]) < 1.3  # at 1.25 m/s


def line(ax, colour, style="-"):
    return next(
        ln for ln in ax.lines if ln.get_color() == colour and ln.get_linestyle() == style and len(ln.get_xdata()) > 2
    )


def test_composite_draws_the_stride_averages_over_the_healthy_band():
    record = synthetic_gait(left_delay=0.45, device_peak=(-30.0, -20.0), stride_length=1.1)
    asked = []

    def band(quantity, speed):
        asked.append((quantity, round(speed, 6)))
        return healthy_stub(quantity, speed)

    figure = plots.composite([record], metrics.summarize([record]), CURVE, band)
    titles = {ax.get_title(loc="left"): ax for ax in figure.axes}
    letters = {title[9]: ax for title, ax in titles.items() if title.startswith("$\\mathbf{")}
    assert "".join(sorted(letters)) == "ABCDEFGHIJKLM"
    assert "Soleus" in titles and "Tibialis anterior" in titles
    knee = metrics.stride_average(record, plots.cycles.joint_angle(record, "knee"))["mean"]
    for foot, side in enumerate(("right", "left")):
        np.testing.assert_allclose(line(letters["C"], plots.COLOURS[side]).get_ydata(), -knee[:, foot])  # flexion up
        torque = line(letters["I"], plots.COLOURS[side]).get_ydata()
        assert torque.max() == pytest.approx((30, 20)[foot], abs=0.2)  # plantarflexion up
    percent, mean, _ = healthy_stub("knee_angle", 1.25)
    np.testing.assert_allclose(line(letters["C"], plots.HEALTHY).get_xydata(), np.stack([percent, -mean], axis=1))
    assert all(ax.get_ylabel() for letter, ax in letters.items())
    angles = {"hip_flexion", "knee_angle", "ankle_angle", "pelvis_tilt"}
    assert {quantity for quantity, _ in asked} == angles | {"grf_vertical", "grf_anterior", "ankle_moment"}
    assert {speed for _, speed in asked} == {1.0}


def test_user_mistakes_are_named(tmp_path):
    record = synthetic_gait(duration=3.0)
    with pytest.raises(UserError, match="no episode"):
        report.write_report(tmp_path, [], None, "", {}, healthy_stub)
    with pytest.raises(UserError, match=r"gone\.png: cannot be read"):
        report.write_report(tmp_path, [record], None, "", {}, healthy_stub, [("", tmp_path / "gone.png")])
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(UserError, match=r"text\.png: it is not a PNG"):
        report.write_report(tmp_path, [record], None, "", {}, healthy_stub, [("", tmp_path / "text.png")])
    with pytest.raises(UserError, match="cannot be written"):
        report.write_report(tmp_path / "text.png" / "below", [record], None, "", {}, healthy_stub)


def test_report_imports_without_jax_and_without_pyplot():
    code = (
        "import sys; sys.modules['jax'] = None; import mjx_assist.eval.report; "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
