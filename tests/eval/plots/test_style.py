"""A figure is saved as PNG and SVG, both or, where drawing fails, neither."""

import io
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.figure import Figure
from PIL import Image

from mjx_assist.errors import UserError
from mjx_assist.eval.plots import style


def drawn() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("stride")
    return figure


def test_a_figure_is_saved_as_png_and_svg_and_the_png_returned(tmp_path):
    path = tmp_path / "new" / "walk.v2"  # what follows a point in the name is not a suffix
    returned = style.save(drawn(), path, dpi=90)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["walk.v2.png", "walk.v2.svg"]
    assert (path.parent / "walk.v2.png").read_bytes() == returned
    picture = Image.open(io.BytesIO(returned))
    assert (picture.format, picture.size) == ("PNG", (180, 90))
    root = ElementTree.parse(path.parent / "walk.v2.svg").getroot()
    assert root.tag.endswith("svg") and "stride" in [text.strip() for text in root.itertext()]


def test_a_png_that_is_made_already_is_written_as_it_is(tmp_path):
    assert style.save(drawn(), tmp_path / "walk", 90, b"made") == b"made"
    assert (tmp_path / "walk.png").read_bytes() == b"made"
    assert (tmp_path / "walk.svg").read_bytes() == style.svg(drawn())


def test_a_figure_that_cannot_be_drawn_leaves_both_files_as_they_were(tmp_path, monkeypatch):
    style.save(drawn(), tmp_path / "walk", dpi=90)
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}

    def fails(figure):
        raise ValueError("no such font")

    monkeypatch.setattr(style, "svg", fails)
    with pytest.raises(ValueError, match="no such font"):
        style.save(drawn(), tmp_path / "walk", dpi=40)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"walk\.png: cannot be written"):
        style.save(drawn(), tmp_path / "file" / "walk", dpi=40)
