"""A bound that is missed comes with the simplification that has the largest error there."""

import copy

import pytest

from mjx_assist.model.fidelity.bounds import verdicts
from mjx_assist.model.fidelity.causes import causes


def changed(report, change):
    spoilt = copy.deepcopy(report)
    change(spoilt)
    return spoilt | {"verdicts": verdicts(spoilt)}


def muscle(report, refitted):
    return next(m for m in report["muscles"] if m["refitted"] is refitted)


def longer(report):
    muscle(report, True)["length_rmse_mm"] = 7.25


def heavier(report):
    report["bodies"][2]["mass_error_kg"] = 0.1


def rounded(report):
    report["bodies"][2]["inertia_error_kg_m2"] = 1.5e-6


def open_loop(report):
    longer(report)
    report["loop_gap_mm"] = {"rms": 16.6, "worst": 131.0}


def slow(report):
    report["accelerations"]["median"] = 0.5
    report["hinges"] = [{"joint": "knee_angle_r", "rms_mm": 1.0, "worst_mm": 9.5}]


def unequal(report):
    report["feet"]["feet"]["r_foot"]["heel_load_percent"] = {"full": 30.0, "reduced": 60.0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (longer, ("muscle length", "7.25 mm off in length")),
        (heavier, ("mass, centre, inertia", "do not move as one")),
        (rounded, ("mass, centre, inertia", "rounding")),
        (open_loop, ("muscle length", "16.6 mm RMS, 131 mm at worst")),
        (slow, ("accelerations, median", "'knee_angle_r' slides", "9.5 mm")),
        (unequal, ("heel's load (r_foot)", "60 % instead of 30 %")),
    ],
)
def test_each_missed_bound_names_its_cause(report, change, said):
    (sentence,) = causes(changed(report, change))
    assert all(part in sentence for part in said), sentence


def test_a_report_that_keeps_its_bounds_has_none(report):
    assert causes(changed(report, lambda _: None)) == []
