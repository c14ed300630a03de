"""The page of walkers over people shows what records hold, beside what is published."""

import numpy as np
import pytest
from healthy_gait import SPEED, band, healthy_gait, silent_calf

from mjx_assist.eval.plots import people
from mjx_assist.eval.plots.cases import PALETTE
from mjx_assist.eval.studies.compare import Walks, episode

MUSCLES_ON = "Muscles on at 1.25 m/s (dark: people's EMG, Perry 1992)"
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def axes():
    record = healthy_gait()
    before, after = (Walks(name, SPEED, (episode(r),)) for name, r in (("a", silent_calf(record)), ("b", record)))
    other = Walks("b", 1.6, after.episodes)  # of two speeds the one people are known best at is drawn
    figure = people.people([before, other, after])
    return {ax.get_title(loc="left"): ax for ax in figure.axes}


def test_all_panels_are_on_the_one_page(axes):
    legs = ("Hip", "Knee", "Ankle")
    panels = {*legs, *(f"{leg} {what}" for leg in legs for what in ("moment", "power")), "Pelvis tilt"}
    forces = {"Vertical force", "Fore-aft force", "Centre of pressure"}
    assert set(axes) == panels | forces | {MUSCLES_ON}


def test_a_healthy_case_lies_on_the_published_curve_and_a_silent_calf_does_not(axes):
    spoilt, healthy = (line.get_ydata() for line in axes["Ankle moment"].lines[:2])
    published = -band("ankle_moment", np.linspace(0, 1, 101))
    np.testing.assert_allclose(healthy[1:-1], published[1:-1], atol=0.06)
    assert published[30] > 0.6 and spoilt[30] < 0.15


def test_muscles_have_peoples_bar_and_one_for_each_case(axes):
    ax = axes[MUSCLES_ON]
    line = [text.get_text() for text in ax.get_yticklabels()].index("Soleus")
    bars = {}
    for bar in ax.collections:
        for path in bar.get_paths():
            low, high = path.get_extents().intervalx
            if abs(path.get_extents().intervaly.mean() - line) < 0.41:
                bars.setdefault(tuple(np.round(bar.get_facecolor()[0], 2)), []).append((low, high))
    assert len(bars) == 3 and all(len(spans) == 1 for spans in bars.values())
    (people_on,), (before,), (after,) = bars.values()
    assert people_on == (3, 52)
    np.testing.assert_allclose(before, (30, 60), atol=1.5)
    np.testing.assert_allclose(after, (3, 52), atol=1.5)
    assert len(PALETTE) >= 2


def test_activity_through_initial_contact_is_two_stretches():
    profile = np.where((np.arange(101) < 10) | (np.arange(101) >= 90), 0.5, 0.0)
    assert people.on_spans(profile) == [(0, 10), (90, 10)]
    assert people.on_spans(0 * profile) == [] and people.on_spans(0 * profile + 1) == [(0, 100)]


def test_the_centre_of_pressure_goes_from_heel_to_toes(axes):
    walked = axes["Centre of pressure"].lines[1].get_ydata()
    known = walked[np.isfinite(walked)]
    assert known.size > 45 and np.isnan(walked[70])
    assert (
        (np.diff(known) > 0).all() and known[0] == pytest.approx(2, abs=1) and known[-1] == pytest.approx(22, abs=1.5)
    )
