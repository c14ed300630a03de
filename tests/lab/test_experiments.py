"""Published experiments as data: each can be walked by the policy that it names; signs and sizes are counted."""

import json
import types

import pytest

from mjx_assist.config.read import load, preset_path
from mjx_assist.errors import UserError
from mjx_assist.eval.report.pages.experiments import JSON, PAGE, write_validation
from mjx_assist.eval.studies import trials
from mjx_assist.lab import validate as validation
from mjx_assist.lab.experiments import Claim, agrees, conditions, experiments

PRESETS = {"profile": "walk22_family", "spring": "walk22_spring"}


def test_every_condition_can_be_walked_and_every_claim_names_two():
    assert len(experiments()) >= 8
    families = {kind: load(preset_path(name)).env_params.device_family for kind, name in PRESETS.items()}
    for experiment in experiments():
        assert experiment.source and experiment.figure in ("metabolic_power", "cost_of_transport")
        for claim in experiment.claims:
            assert {claim.lower, claim.than} <= experiment.conditions.keys()
            assert all(size is None or size < 0 for size in (claim.percent, claim.watt))
        for condition in experiment.conditions.values():
            conditions(experiment, condition)
            assert bool(condition.design) == (experiment.policy in PRESETS)
            if condition.design:
                family = families[experiment.policy]
                assert set(condition.design) == set(family.free)
                for name, value in condition.design.items():
                    assert family.span(name)[0] <= value <= family.span(name)[1], (experiment.key, name)


@pytest.mark.parametrize(
    ("claim", "percent", "watt", "verdict"),
    [
        (Claim("a", "b"), -1.0, -3.0, (True, None)),
        (Claim("a", "b"), 1.0, 3.0, (False, None)),
        (Claim("a", "b"), None, None, (None, None)),
        (Claim("a", "b", percent=-7.2, spread=2.6), -2.1, -5.0, (True, True)),
        (Claim("a", "b", percent=-7.2, spread=2.6), -1.9, -5.0, (True, False)),
        (Claim("a", "b", percent=-10.0), -15.1, -5.0, (True, False)),
        (Claim("a", "b", percent=-10.0), -14.9, -5.0, (True, True)),
        (Claim("a", "b", watt=-76.0), -20.0, -40.0, (True, True)),
        (Claim("a", "b", watt=-76.0), 1.0, 4.0, (False, False)),
    ],
)
def test_a_hit_has_the_published_sign_and_its_size_lies_within_two_spreads(claim, percent, watt, verdict):
    assert agrees(claim, percent, watt) == verdict


def test_hits_are_counted_and_drawn(untrained_bundle, monkeypatch, tmp_path):
    """Walks that cost 200 W and 10 more for each kg at the waist; one condition falls."""

    def walk(bundles, asked, processes, measure):
        for i, trial in enumerate(asked):
            load = (
                sum(trial.conditions.randomization.waist_mass) / 2 if trial.conditions.randomization.waist_mass else 0
            )
            yield (
                i,
                {
                    "fell": load == 8.0,
                    "strides": 9,
                    "speed_m_s": 1.25,
                    "muscle_power_w": {"umberger2010": 200 + 10.0 * load + trial.seed},
                },
            )

    monkeypatch.setattr(trials, "run", walk)
    chosen = [e for e in experiments() if e.key in ("huang2014", "browning2007_waist", "collins2015")]
    result = validation.run(chosen, {"general": untrained_bundle}, 5.0, range(3), 1)
    by = {row["key"]: row["claims"] for row in result["experiments"]}
    assert [claim["simulated_watt"]["mean"] for claim in by["huang2014"]] == pytest.approx([-100.0, -200.0])
    assert [claim["size"] for claim in by["huang2014"]] == [True, True]
    assert [claim["sign"] for claim in by["browning2007_waist"]] == [None, None]
    assert result["hits"] == {"signs": [2, 4], "sure": 2, "sizes": [2, 2]}
    assert [row["key"] for row in result["not_run"]] == ["collins2015"]
    page = write_validation(tmp_path, result)
    assert page.name == PAGE and "2 of 4 published effects come out, 2 of them surely" in page.read_text()
    assert json.loads((tmp_path / JSON).read_text())["hits"] == result["hits"]


def test_a_policy_of_no_family_walks_no_devices(untrained_bundle):
    with pytest.raises(UserError, match="--spring: needs a policy"):
        validation.check({"general": untrained_bundle, "spring": untrained_bundle})
    family = load(preset_path("walk22_family")).env_params
    with pytest.raises(UserError, match="a range of 'stiffness_nm_per_rad'"):
        validation.check({"spring": types.SimpleNamespace(config=types.SimpleNamespace(env_params=family))})
