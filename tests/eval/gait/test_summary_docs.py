"""docs/metrics.md names every figure that metrics.json can hold."""

import re

import pytest
from checkout import ROOT
from synthetic_gait import in_3d, synthetic_gait

from mjx_assist.eval.gait import metrics as stride_metrics
from mjx_assist.eval.gait import summary as metrics

DOCS = ROOT / "docs" / "metrics.md"
TOPICS = ("symmetry", "healthy", "variability", "stability")


@pytest.fixture(scope="module")
def summary():
    return metrics.summarize([in_3d(synthetic_gait(duration=6.0))])


@pytest.fixture(scope="module")
def documented():
    """Regular expressions of the names between back ticks; <angle> and * stand for anything."""
    names = re.findall(r"`([^`\n]+)`", DOCS.read_text())
    return [re.compile(re.sub(r"<\w+>|\\\*", r"\\w+", re.escape(name).replace(r"\<", "<"))) for name in names]


def test_the_table_of_stride_figures_is_that_of_the_code():
    for each in (False, True):
        told = stride_metrics.documentation(each)
        assert told in DOCS.read_text(), f"docs/metrics.md is to hold:\n{told}"


def test_every_stride_figure_is_documented(summary, documented):
    for key in summary["both"]:
        assert key == "sd" or any(name.fullmatch(key) for name in documented), key


@pytest.mark.parametrize("topic", TOPICS)
def test_every_figure_of_a_topic_is_documented(summary, documented, topic):
    ours = {*summary[topic]} - {"right", "left", "strides", "speed_m_s"}
    for key in ours:
        assert any(name.fullmatch(f"{topic}.{key}") for name in documented), f"{topic}.{key}"


def test_every_topic_is_documented(summary):
    text = DOCS.read_text()
    head = ("schema_version", "human", "device_name", "controller", "model_kind", "body_mass_kg", "grf_filter_hz")
    for key in set(summary) - {*head, "episodes", "falls", "time_s", "speed_m_s", "speed_asked_m_s"}:
        assert f"`{key}" in text, key
    for key in summary["emg"]["soleus"]["right"]:
        assert f"`{key}`" in text, key
