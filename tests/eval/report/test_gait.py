"""The report is one page that needs nothing else, agrees with metrics.json, and survives bad input."""

import base64
import csv
import dataclasses
import html.parser
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from synthetic_gait import healthy_stub, synthetic_gait

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.gait import summary
from mjx_assist.eval.plots import composite, style
from mjx_assist.eval.plots.style import png
from mjx_assist.eval.report import gait as report
from mjx_assist.eval.report import tables

pytestmark = pytest.mark.filterwarnings("error")
CURVE = [
    {"control_steps": 1e4 * i, "wall_s": 2.0 * i, "reward": 0.1 * i, "episode_length": 9.0 * i, "steps_per_s": 5e3}
    for i in range(1, 8)
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report") / "new" / "folder"
    records = [synthetic_gait(seed=1), synthetic_gait(seed=2, fell=True)]
    picture = directory.parent.parent / "strip.png"
    picture.write_bytes(png(Figure(figsize=(2, 1))))
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
    assert len(sources) > 2
    assert all(value.startswith("data:image/png;base64,") for value in sources)
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", (written[0] / report.PAGE).read_text())
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<iframe", text)
    assert (written[0] / report.PAGE).stat().st_size < 5e6


def test_page_holds_the_pictures_the_legend_and_every_panel_of_the_composite(written, page):
    images = [base64.b64decode(value.split(",")[1]) for _, name, value in page.attributes if name == "src"]
    assert images[0] == (written[0].parent.parent / "strip.png").read_bytes()
    whole = np.asarray(Image.open(written[0] / report.COMPOSITE).convert("RGB"))
    parts = [np.asarray(Image.open(io.BytesIO(image)).convert("RGB")) for image in images[2:]]
    assert parts[0].shape[1] == pytest.approx(whole.shape[1] / 4, rel=0.2)  # four angles in a row
    corner = whole[-parts[-1].shape[0] :, -parts[-1].shape[1] :]
    np.testing.assert_array_equal(corner, parts[-1])  # the last panel is the composite's lower right corner


def test_metrics_file_is_what_was_returned_and_what_metrics_measure(written):
    directory, records, returned = written
    stored = json.loads((directory / report.METRICS).read_text())
    assert stored == returned
    measured = summary.summarize(records)
    assert {key: stored[key] for key in measured} == measured
    assert stored["info"] == {"config": "walk22_exo.json", "<i>": None}
    assert stored["training"]["control_steps"] == 80_000
    assert stored["training"]["reward"] is None
    assert stored["verdict"]["walks"] == "poor"


def test_curves_are_in_both_files_and_their_numbers_each_in_one_line(written):
    text = (written[0] / report.METRICS).read_text()
    knee = json.loads(text)["curves"]["left"]["mean"]["knee_flexion_deg"]
    assert len(knee) == 101 and f'"knee_flexion_deg": [{knee[0]}, {knee[1]}' in text
    rows = list(csv.DictReader(io.StringIO((written[0] / report.CURVES).read_text())))
    told = [row for row in rows if (row["curve"], row["side"]) == ("knee_flexion_deg", "left")]
    assert [float(row["mean"]) for row in told] == knee


def test_directory_holds_the_files_and_no_leftovers(written):
    files = [report.PAGE, report.COMPOSITE, report.VECTOR, report.METRICS, report.STRIDES, report.CURVES]
    assert sorted(path.name for path in written[0].iterdir()) == sorted(files)


def test_strides_are_one_row_each_with_units_in_the_names(written):
    directory, records, _ = written
    rows = list(csv.DictReader(io.StringIO((directory / report.STRIDES).read_text())))
    measured = [row for record in records for row in summary.stride_rows(record)]
    assert len(rows) == len(measured) > 20
    assert {row["seed"] for row in rows} == {"1", "2"}
    for row, figures in zip(rows, measured, strict=True):
        assert row["side"] == figures["side"]
        assert float(row["end_s"]) - float(row["start_s"]) == pytest.approx(float(row["stride_time_s"]), rel=1e-4)
        for name, value in figures.items():
            if name != "side":
                assert (row[name] == "") if np.isnan(value) else float(row[name]) == pytest.approx(value, rel=1e-5)
    units = re.compile(r"(_s|_m|_deg|_percent|_bw|_bw_s|_per_s|_per_min|_per_kg|_m_s|_correlation)$")
    assert all(units.search(name) for name in rows[0] if name not in ("episode", "seed", "controller", "side"))


def test_page_gives_the_verdict_first_and_escapes_what_it_is_given(written, page):
    text = " ".join(page.text)
    assert "A walk & <b>more</b>" in text
    verdict = text.index("It falls.")
    assert verdict < text.index("No: fell in 1 of 2 episodes, the first time after 12.0 s.")
    assert verdict < text.index("Seed 2: fell after 12.00 s.") < text.index("Walks?") < text.index("Key figures")
    for what, measured, wanted in report.headline(written[2], healthy_stub):
        assert what in text and measured in text and wanted in text


def test_every_topic_of_the_metrics_has_its_table(written, page):
    text = " ".join(page.text)
    for topic in ("Symmetry", "Deviation from healthy gait", "Stability", "Co-contraction", "Scores", "Episodes"):
        assert topic in text
    metabolic = written[2]["metabolic"]["umberger2010"]["cost_of_transport_j_per_kg_m"]
    assert "Cost of transport (J/(kg·m))" in text and tables.number(metabolic) in text


def test_labels_carry_the_units_of_their_keys():
    assert tables.label("stride_time_s") == "Stride time (s)"
    assert tables.label("grf_loading_rate_bw_per_s") == "Ground reaction loading rate (BW/s)"
    assert tables.label("cost_of_transport_j_per_kg_m") == "Cost of transport (J/(kg·m))"
    assert tables.label("power_peak_w_per_kg") == "Power peak (W/kg)"
    assert tables.label("bifemsh") == "Biceps femoris, short"


def test_headline_gives_the_measured_numbers(written):
    rows = {what: (measured, wanted) for what, measured, wanted in report.headline(written[2], healthy_stub)}
    assert rows["Speed (m/s)"] == ("1.25", "asked 1.25")
    assert rows["Cadence (steps/min)"] == ("109", "healthy about 107")  # Sekiya and Nagasaki's walk ratio at 1.25 m/s
    assert rows["Peak vertical ground reaction (BW): 20 Hz, unfiltered"][0] == "1.20 / 1.20"
    assert rows["Device peak torque, ankle (N·m)"][0] == "30.0"


@pytest.fixture
def coarse(monkeypatch):
    """Figures that are drawn faster: what is tested here is not in them."""
    monkeypatch.setattr(report, "DPI", 40)
    monkeypatch.setattr(style, "svg", lambda figure: b"")


@pytest.fixture
def brief(coarse, monkeypatch):
    """Only the first section of the figures."""
    sections = composite.sections
    monkeypatch.setattr(composite, "sections", lambda gait: sections(gait)[:1])


def reported(tmp_path, records, **more):
    returned = report.write_report(tmp_path, records, None, "Bad input", {}, healthy_stub, **more)
    text = " ".join(Page((tmp_path / report.PAGE).read_text()).text)
    assert text.index("Walks?") > max((text.index(note) for note in returned["notes"]), default=0)
    assert all((tmp_path / name).is_file() for name in (report.COMPOSITE, report.VECTOR, report.STRIDES))
    return returned, text


def test_early_falls_are_reported_plainly(coarse, tmp_path):
    fallen = [synthetic_gait(duration=0.8, fell=True), synthetic_gait(duration=1 / 240, fell=True, seed=1)]
    returned, text = reported(tmp_path, fallen)
    assert "No: fell in 2 of 2 episodes" in text
    assert "Seed 0: fell after 0.80 s." in text and "Seed 1: fell after 0.00 s." in text
    assert "No complete stride" in text
    assert ("Stance (% of cycle)", "not available") in [row[:2] for row in report.headline(returned, healthy_stub)]
    assert returned["training"] is None
    assert (tmp_path / report.STRIDES).read_text().count("\n") == 1


def test_a_foot_that_never_touches_leaves_a_page_with_a_note(coarse, tmp_path):
    record = synthetic_gait(duration=6.0)
    force = record.ground_reaction.copy()
    force[:, 1] = 0.0
    lame = dataclasses.replace(record, ground_reaction=force)
    _, text = reported(tmp_path, [lame])
    assert "the left foot never touches the ground" in text and "Cannot be told" in text


def test_what_follows_a_sample_that_is_not_finite_is_left_out(coarse, tmp_path):
    record = synthetic_gait(duration=9.0)
    qpos = record.qpos.copy()
    qpos[1500:] = np.nan  # after 6.25 s
    returned, text = reported(tmp_path, [dataclasses.replace(record, qpos=qpos)])
    assert "not finite after 6.25 s" in text
    assert returned["both"]["speed_m_s"] == pytest.approx(1.25, abs=0.02)


def test_a_record_that_holds_nothing_finite_does_not_spoil_the_others(brief, tmp_path):
    good, bad = synthetic_gait(duration=6.0), synthetic_gait(duration=6.0, seed=7)
    bad = dataclasses.replace(bad, qpos=np.full_like(bad.qpos, np.inf))
    returned, text = reported(tmp_path, [good, bad])
    assert returned["episodes"] == 1 and "seed 7: the first sample is already not finite" in text
    with pytest.raises(UserError, match="seed 7"):
        report.write_report(tmp_path, [bad], None, "", {}, healthy_stub)


def test_zero_torque_that_falls_is_no_measure_of_cost(brief, tmp_path):
    own, bare = synthetic_gait(duration=6.0), synthetic_gait(duration=4.0, fell=True, device_peak=(0.0, 0.0))
    returned, text = reported(tmp_path, [own], baseline=[bare])
    assert (
        "metabolic" not in returned["verdict"]
        and "the same walker falls in 1 of 1 episodes, the first time after 4.0 s" in text
    )
    standing = synthetic_gait(duration=6.0, device_peak=(0.0, 0.0))
    returned, _ = reported(tmp_path, [own], baseline=[standing])
    assert returned["verdict"]["metabolic"] == "fair"  # the same muscles
    assert returned["zero_torque"]["falls"] == 0


def test_walker_without_device_over_the_shipped_healthy_band(brief, tmp_path):
    record = synthetic_gait(duration=5.0)
    bare = dataclasses.replace(
        record, device_torque=np.zeros((record.time.size, 0)), device_names=(), device_joints=(), device="none"
    )
    returned = report.write_report(tmp_path, [bare], CURVE, "Bare", {})
    rows = {what: wanted for what, _, wanted in report.headline(returned)}
    assert not [what for what in rows if what.startswith("Device")]
    healthy = re.match(r"healthy (\d\.\d+) ±", rows["Peak vertical ground reaction (BW): 20 Hz, unfiltered"])
    assert 1.0 < float(healthy[1]) < 1.3  # at 1.25 m/s


def test_command_reports_on_saved_records_without_simulation(brief, tmp_path, capsys):
    own = synthetic_gait(duration=6.0).save(tmp_path / "own.npz")
    bare = dataclasses.replace(synthetic_gait(duration=6.0, device_peak=(0.0, 0.0)), controller="zero_torque")
    bare = bare.save(tmp_path / "bare.npz")
    assert main(["report", str(bare), str(own), "-o", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    stored = json.loads((tmp_path / "out" / report.METRICS).read_text())
    assert stored["verdict"]["overall"] in shown
    assert stored["controller"] == "learned" and stored["zero_torque"]["falls"] == 0
    assert "bounds kept" in stored["info"]["model fidelity"]
    assert main(["report", str(own), "--model", "full", "-o", str(tmp_path / "out")]) == 2
    assert main(["report", str(own), str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert main(["report", str(tmp_path / "gone.npz"), "-o", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err
    assert "--model is for a POLICY" in errors and "gait records (.npz) only" in errors and "no such file" in errors


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
