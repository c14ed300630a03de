"""Pages: whatever a text holds, it stays a text, in attributes too; all three have one style; templates are shipped."""

import base64
import html.parser
import importlib.resources
import re

import jinja2
import numpy as np
import pytest
from synthetic_gait import healthy_stub, synthetic_gait

from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.report import page
from mjx_assist.eval.report.gait import headline
from mjx_assist.eval.report.html import Cell, Panels, Section, Table, render
from mjx_assist.eval.report.pages import challenge as challenge_page
from mjx_assist.eval.report.pages import compare as compare_page
from mjx_assist.eval.report.verdict import facts, verdict
from mjx_assist.eval.studies import challenge, compare
from mjx_assist.eval.studies.compare import EpisodeFigures, Walks

PLAIN = "walker"
HOSTILE = """</p></td></title></style><img src='x' onerror="go()">&amp; & < > ' " {{ 7 * 7 }} {% if %}"""


class Parsed(html.parser.HTMLParser):
    """Tags with the names of their attributes, attributes' values, and texts, as a browser reads them."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.values, self.texts, self.style = [], [], [], ""
        self._in_style = False
        self.feed(text)
        self.close()

    def handle_decl(self, decl):
        self.tags.append((decl,))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.values += [value for _, value in attrs]
        self._in_style = tag == "style"

    def handle_endtag(self, tag):
        self.tags.append(("/" + tag,))
        self._in_style = False

    def handle_data(self, data):
        if self._in_style:
            self.style += data
        else:
            self.texts.append(data)


def report_of(text: str) -> str:
    metrics = summarize([synthetic_gait(duration=4.0)])
    findings = verdict.judge(facts.facts(metrics, healthy_stub, None, None))
    metrics |= {"notes": [text], "human": text, "info": {text: text}, "training": None}
    rows = [(text, text, text), *headline(metrics, healthy_stub)]
    figures = [Panels(text, [(text, 0.25, b"curves")])]
    return page.page(text, metrics, (text, findings), figures, b"legend", [(text, b"strip")], rows)


def comparison_of(text: str) -> str:
    """Two cases; the first one is named by the text."""
    walked = []
    for case, speed in ((text, 1.0), ("other", 1.2)):
        figures = {group: {} for group in compare.GROUPS}
        figures["kinematics"] = {"speed_m_s": speed + 0.01 * np.arange(8)}
        walked.append(Walks(case, 1.25, tuple(EpisodeFigures(seed, False, 30.0, figures, {}) for seed in range(5))))
    about = {"human": text, "device": text, "policy": text, "controller": {"type": text, "joint": text}}
    counts = {"speed_asked_m_s": 1.25, "episodes": 5, "falls": 0, "strides": 40}
    result = {
        "cases": [{"case": walks.case, **about} for walks in walked],
        "walks": [{"case": walks.case, **counts} for walks in walked],
        "figures": compare.rows(walked, text),
        "baseline": text,
        "model": text,
        "seeds": [0, 1, 2, 3, 4],
        "steps_asked": 900,
        "notes": [text],
    }
    return compare_page.page(result, dict.fromkeys(("metabolic", "kinematics", "kinetics", "activation"), b"drawn"))


def challenge_of(text: str) -> str:
    outcome = dict.fromkeys(("time_s", "speed_asked_m_s", "mean_speed_m_s", "speed_error_m_s"), 0.5)
    outcome |= {"fell": False, "corr_reference": {"hip": 0.9, "knee": 0.9}}
    outcome |= {"stride_length_m": 1.2, "cadence_steps_per_min": 100.0}
    row = challenge.judged(challenge.rows(["speeds"])[0], [outcome]) | {"row": text, "group": text}
    policies = [{"name": text, "walker": text, "rows": [row]}, {"name": "b", "walker": "b", "rows": [row]}]
    return challenge_page.page(policies, b"overview", b"gait")


PAGES = pytest.mark.parametrize("written", [report_of, comparison_of, challenge_of])


@PAGES
def test_a_hostile_text_is_shown_and_changes_no_tag(written):
    plain, hostile = Parsed(written(PLAIN)), Parsed(written(HOSTILE))
    assert hostile.tags == plain.tags
    assert hostile.style == plain.style
    assert sum(PLAIN in text for text in plain.texts) > 3
    for ours, theirs in zip(plain.texts, hostile.texts, strict=True):
        assert theirs in (ours.replace(PLAIN, HOSTILE), ours.replace("Walker", HOSTILE.capitalize()))


@PAGES
def test_a_hostile_text_stays_inside_its_attribute(written):
    plain, hostile = Parsed(written(PLAIN)), Parsed(written(HOSTILE))
    assert hostile.values == [value.replace(PLAIN, HOSTILE) for value in plain.values]
    assert (HOSTILE in hostile.values) == (written is report_of)  # the other two name their figures themselves


def test_whatever_names_a_figure_is_escaped_in_its_alternative_text(monkeypatch):
    monkeypatch.setattr(compare_page, "_FIGURES", {"kinetics": HOSTILE})
    hostile = Parsed(comparison_of(PLAIN))
    assert HOSTILE in hostile.values and HOSTILE in hostile.texts


@PAGES
def test_pages_have_one_head_and_one_style(written):
    parsed = Parsed(written(PLAIN))
    report = Parsed(report_of(PLAIN))
    assert parsed.tags[0] == ("doctype html",)
    assert parsed.style == report.style and "table" in parsed.style
    assert parsed.tags[: parsed.tags.index(("h1",))] == report.tags[: report.tags.index(("h1",))]


@PAGES
def test_every_look_that_a_page_names_is_in_the_style(written):
    text = written(PLAIN)
    named = {name for value in re.findall(r'class="([^"]*)"', text) for name in value.split()}
    assert named and named - {"verdict"} <= set(re.findall(r"\.([a-z][a-z-]*)", Parsed(text).style))


@PAGES
def test_nothing_on_a_page_makes_a_phone_scroll_sideways(written):
    text = written(PLAIN)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert text.count("<table") == text.count('<div class="scroll"><table') + text.count('<table class="verdict">')
    assert re.search(r"\.scroll \{ overflow-x: auto; \}", text)
    body = text[text.index("<body>") :]
    assert all(width.endswith("%") for width in re.findall(r"width: ([^\";]+)", body))  # none in pixels
    images = re.findall(r"<(?:figure class=\"wide\"|img class=\"legend\"|img alt)[^>]*>", body)
    assert len(images) >= body.count("<img ")


def test_a_comparison_has_a_column_for_each_case():
    (header, *_) = re.findall(r"<thead><tr>(.*?)</tr>", comparison_of(PLAIN))
    assert header.count("<th>") == 1 + 2


def test_pictures_are_the_bytes_given():
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', report_of(PLAIN))
    assert [base64.b64decode(image) for image in found] == [b"strip", b"legend", b"curves"]


def test_a_value_that_a_template_asks_for_and_does_not_get_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="headlines"):
        render("challenge", title="Challenge", made="")


def test_cells_carry_their_look_and_span():
    tables = [Table(("a", "b"), [[Cell("whole", "group", 2)], ["x", Cell("y", "met")]], "Small", one_line=True)]
    values = {"title": "T", "made": "", "headlines": [], "overview": b"", "side_by_side": None, "gait": b"", "note": ""}
    for columns in (False, True):
        text = render("challenge", **values, sections=[Section("Large", tables, columns)])
        assert '<tr><td class="group" colspan="2">whole</td></tr>' in text
        assert '<tr><td>x</td><td class="met">y</td></tr>' in text
        assert text.index("<h2>Large</h2>") < text.index("<h3>Small</h3>") < text.index('<table class="one-line">')
        assert ('<div class="columns">' in text) == columns


def test_templates_are_found_as_resources_of_the_package():
    folder = importlib.resources.files("mjx_assist.eval.report") / "templates"
    names = {entry.name for entry in folder.iterdir()}
    assert names == {f"{name}.html.j2" for name in ("base", "macros", "report", "compare", "challenge", "study", "zoo")}
