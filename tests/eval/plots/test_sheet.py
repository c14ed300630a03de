"""Figures for papers: as wide as they will be printed, letters that can be read there, none over another."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from synthetic_gait import healthy_stub, in_3d, synthetic_gait

from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.plots import composite, sheet, style

pytestmark = pytest.mark.filterwarnings("error")
CURVE = [
    {"control_steps": 1e4 * i, "reward": 0.1 * i, "episode_length": 0.0 if i == 100 else 3.0 * i} for i in range(1, 201)
]
SMALLEST = 7.0  # points


def gait_of(record, labels=("right", "left")):
    return composite.Gait([record], summarize([record]), healthy_stub, CURVE, labels)


@pytest.fixture(scope="module")
def gait():
    return gait_of(synthetic_gait(duration=6.0))


@pytest.fixture(scope="module")
def whole(gait):
    """The composite."""
    return sheet.composite(gait)[0]


def texts(figure):
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t.get_window_extent().width]


def overlapping(figure):
    """Pairs of texts, ticks left out, that lie on each other by more than a pixel, and those that leave the figure."""
    figure.set_dpi(100)
    figure.draw_without_rendering()
    ticks = {id(tick) for ax in figure.axes for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())}
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts(figure) if id(t) not in ticks]
    pairs = [
        (a, b)
        for (a, one), (b, other) in itertools.combinations(boxes, 2)
        if min(one.x1, other.x1) - max(one.x0, other.x0) > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 1
    ]
    width, height = figure.bbox.width, figure.bbox.height
    return pairs + [t for t, box in boxes if min(box.x0, box.y0) < -2 or box.x1 > width + 2 or box.y1 > height + 2]


def test_figures_are_as_wide_as_a_page_and_can_be_read_there():
    drawn = sheet.figures(gait_of(in_3d(synthetic_gait(duration=6.0))))
    assert {"Joint angles", "Out of the sagittal plane", "Device", "Muscle activation", "Time"} <= set(drawn)
    for title, figure in drawn.items():
        assert figure.get_figwidth() == 7.0
        assert overlapping(figure) == [], title
        assert min(text.get_fontsize() for text in texts(figure)) >= SMALLEST, title


@pytest.fixture(scope="module")
def alone(gait):
    """The panels, each by itself."""
    return sheet.panels(gait)


def test_panels_are_as_wide_as_a_column_and_say_what_their_colours_mean(gait, alone):
    assert len(alone) == sum(len(part.panels) for part in composite.sections(gait))
    for title, figure in alone.items():
        assert figure.get_figwidth() == pytest.approx(3.4)
        assert overlapping(figure) == [], title
        assert min(text.get_fontsize() for text in texts(figure)) >= SMALLEST, title
    legends = {title: [t.get_text() for f in figure.legends for t in f.get_texts()] for title, figure in alone.items()}
    assert legends["Knee"] == ["right", "left", "healthy ± 1 SD"]
    assert legends["Soleus"] == ["right", "left", "healthy EMG on"]
    assert legends["Learning"] == []


def test_the_composite_has_no_letters_over_each_other(whole):
    assert overlapping(whole) == []
    assert min(text.get_fontsize() for text in texts(whole)) >= SMALLEST


def test_rows_go_on_with_the_letters_of_the_composite(gait, whole):
    def letters(figures):
        marks = [t for f in figures for t in f.findobj(Text) if len(t.get_text()) == 1 and t.get_fontweight() == "bold"]
        return "".join(t.get_text() for t in marks)

    rows = sheet.rows(gait)
    assert letters([f for some in rows.values() for f in some]) == letters([whole])
    assert all(figure.get_figheight() < 3 for some in rows.values() for figure in some)  # a page breaks between them


def test_an_update_without_an_ended_episode_is_no_episode_of_length_zero(alone):
    learning = alone["Learning"].axes[0]
    for curve in learning.lines:
        assert np.min(curve.get_ydata()) >= 3.0
    raw = learning.lines[0]
    assert len(raw.get_xdata()) == len(CURVE) - 1 and 1.0 not in raw.get_xdata()  # millions of control steps


def test_legs_have_the_names_they_are_given():
    figure = sheet.legend(gait_of(synthetic_gait(duration=4.0), ("paretic", "healthy leg")))
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["paretic", "healthy leg"]


def test_images_keep_the_colours_that_are_drawn(whole):
    pixels = np.asarray(style.image(whole, 60)).reshape(-1, 3)
    found = {tuple(pixel) for pixel in pixels.tolist()}
    assert {tuple(round(255 * part) for part in to_rgb(colour)) for colour in style.COLORS.values()} <= found


def test_pdf_and_svg_hold_letters_and_repeat_themselves(alone):
    figure = alone["Knee"]
    for kind, text in (("pdf", b"%PDF"), ("svg", b"gait cycle (%)</text>")):
        drawn = style.drawn(figure, kind, 300)
        assert text in drawn and style.drawn(figure, kind, 300) == drawn
    assert b"<text" not in style.outlined_svg(figure)
