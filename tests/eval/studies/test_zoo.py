"""What the zoo asks of a walker, in words and tables, from walks of known outcome."""

import pytest

from mjx_assist.eval.report.pages.zoo import page
from mjx_assist.eval.studies import zoo


def walk(fell=False, time_s=33.0, error=0.03, hip=0.98, knee=0.97, ankle=0.9):
    return {
        "fell": fell,
        "time_s": time_s,
        "mean_speed_m_s": 1.2,
        "speed_error_m_s": error,
        "grf_peak_bw": 1.2,
        "muscle_power_w_per_kg": 3.0,
        "corr_reference": {"hip": hip, "knee": knee, "ankle": ankle},
    }


def row(reduced, full, **more):
    outcomes = [("reduced", one) for one in reduced] + [("full", one) for one in full]
    made = {"human": "myolegs22", "device": "none", "minutes": 4.0, "control_steps": 3_000_000, "strip": "A stride."}
    return {**made, **zoo.judged(outcomes), **more}


FALL = {"fell": True, "time_s": 2.5}


@pytest.mark.parametrize(
    ("reduced", "full", "misses"),
    [
        ([walk()] * 10, [walk()] * 10, []),
        ([walk()] * 9 + [walk(**FALL)], [walk()] * 8 + [walk(**FALL)] * 2, []),  # 9 and 8 of 10 are asked
        (
            [walk()] * 8 + [walk(**FALL)] * 2,
            [walk()] * 10,
            ["falls on the reduced model in 2 of 10, first after 2.5 s"],
        ),
        ([walk()] * 10, [walk()] * 7 + [walk(**FALL)] * 3, ["falls on the full model in 3 of 10, first after 2.5 s"]),
        ([walk(error=0.1)] * 2, [walk()] * 2, []),
        ([walk(error=0.16)] * 2, [walk()] * 2, ["speed off by 0.16 m/s"]),
        ([walk(error=None)] * 2, [walk()] * 2, ["speed not known"]),
        ([walk(hip=0.94, knee=0.9)] * 2, [walk()] * 2, ["hip r 0.94", "knee r 0.90"]),
        ([walk(ankle=0.2)] * 2, [walk()] * 2, []),  # nobody asks it of the ankle
        ([walk(knee=None)] * 2, [walk()] * 2, []),  # a transfemoral prosthesis on both legs has no knee to compare
    ],
)
def test_what_is_missed_is_said(reduced, full, misses):
    assert row(reduced, full)["misses"] == misses


def test_the_table_has_a_cell_for_each_column_and_a_failed_row_its_reason():
    failed = {"human": "myolegs26", "device": "KFoot_L1", "error": "training failed: it diverged | at 3"}
    rows = [row([walk()] * 2, [walk()] * 2), failed]
    assert all(len(zoo.cells(one)) == len(zoo.HEADER) for one in rows)
    text = zoo.markdown(rows)
    lines = text.splitlines()
    assert {line.count("|") for line in lines[:4]} == {len(zoo.HEADER) + 1}
    assert "2 of 2" in lines[2] and "training failed: it diverged / at 3" in lines[3]
    assert "1 of 2 walkers meet what is asked; 1 could not be made." in text


def test_the_page_shows_every_walker_and_why_one_is_missing():
    failed = {"human": "myolegs26", "device": "KFoot_L1", "error": "training failed: <diverged>"}
    text = page([row([walk()] * 2, [walk()] * 2), failed], {("myolegs22", "none"): b"\x89PNG"})
    assert text.count("<img") == 1
    assert "Meets all that is asked. Trained with 3,000,000 control steps in 4.0 minutes." in text
    assert "Not made: training failed: &lt;diverged&gt;" in text


def test_each_policy_walks_the_same_seeds_on_both_models():
    asked = zoo.trials_of(33.0, range(3, 5))
    assert [(t.kind, t.seed, t.seconds) for t in asked] == [
        ("reduced", 3, 33.0),
        ("reduced", 4, 33.0),
        ("full", 3, 33.0),
        ("full", 4, 33.0),
    ]
