"""What stands beside a page for papers: files, their formats and sizes; vectors in the PDF; the head of a page."""

from datetime import date

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from synthetic_gait import healthy_stub, synthetic_gait

import mjx_assist
from mjx_assist.cli.main import main
from mjx_assist.eval.plots import composite
from mjx_assist.eval.report import gait, paper
from mjx_assist.eval.report.head import head

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def angles_alone(monkeypatch):
    """Only the first section of the figures."""
    sections = composite.sections
    monkeypatch.setattr(composite, "sections", lambda gait: sections(gait)[:1])
    monkeypatch.setattr("mjx_assist.eval.plots.sheet.sections", lambda gait: sections(gait)[:1])


def test_report_writes_each_figure_and_panel_in_the_formats_asked(angles_alone, tmp_path):
    record = synthetic_gait(duration=4.0).save(tmp_path / "walk.npz")
    words = ["report", str(record), "-o", str(tmp_path / "out"), "--figures", "png,pdf,svg", "--labels", "one,other"]
    assert main(words) == 0
    figures = tmp_path / "out" / paper.FOLDER
    assert {p.name for p in figures.glob("*.*")} == {f"joint_angles.{kind}" for kind in paper.FORMATS}
    names = {p.stem for p in (figures / paper.PANELS).iterdir()}
    assert names == {"pelvis_tilt", "hip", "knee", "ankle"}
    with Image.open(figures / "joint_angles.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.width == 7 * 300
    assert "other</text>" in (figures / "joint_angles.svg").read_text()


def test_panels_of_a_comparison_are_cut_out_of_its_figures(tmp_path):
    figure = Figure(figsize=(7, 2), layout="constrained")
    for number, ax in enumerate(figure.subplots(1, 2)):
        ax.plot([0, 1], [0, 1], color=("#0072B2", "#D55E00")[number])
        ax.set_title(f"Panel {number}", loc="left")
    paper.write(tmp_path, {"whole": figure}, ["png"])
    with Image.open(tmp_path / "figures" / "panels" / "whole_panel_1.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).tolist()
        assert picture.width < 0.6 * 7 * 300
    assert [0xD5, 0x5E, 0x00] in pixels and [0x00, 0x72, 0xB2] not in pixels


def test_the_pdf_is_made_of_vectors(angles_alone, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(gait, "write_pdf", lambda page, pdf, html: made.append(page))
    gait.write_report(tmp_path, [synthetic_gait(duration=4.0)], None, "Vectors", {}, healthy_stub, pdf=True)
    (page,) = made
    assert "data:image/svg+xml" in page and "data:image/png" not in page
    assert page.count("data:image/svg+xml") == 1 + 2  # the legend, and two rows of two angles


def test_the_head_names_policies_day_version_model_and_backend():
    told = head(["a", "b"], "reduced", "compiled")
    for part in ("a, b", date.today().isoformat(), mjx_assist.__version__, "reduced model in C MuJoCo", "compiled"):
        assert part in told
    assert "6 policies" in head(list("abcdef"), "full") and "measured" in head(["a"], "imported")
