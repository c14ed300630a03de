"""A search over a family: the optimum of a known function, resumed bit for bit, its surface, its page; and refusals."""

import json
import types

import numpy as np
import pytest

from mjx_assist.config.design_study import FIGURES, DesignStudy, read_design_study
from mjx_assist.config.family import DeviceFamily, with_design
from mjx_assist.errors import UserError
from mjx_assist.eval.report.pages.design import JSON, PAGE, write_design
from mjx_assist.lab import findings, search, surface
from mjx_assist.lab.optimize import Lab, run

FAMILY = DeviceFamily(peak_torque=(-1.0, 0.0), peak_time_percent=(40.0, 60.0), stiffness_nm_per_rad=(0.0, 100.0))
BEST = np.array([0.4, 0.7, 0.2])  # of the known function, in 0..1
NAMES = tuple(FIGURES)


def cost(unit, seeds):
    """``[1, n, seeds, figures]``: W/kg with its lowest at `BEST`; a seed adds the same to all designs."""
    power = 3.0 + ((unit - BEST) ** 2 * [1.0, 2.0, 0.5]).sum(axis=1)[:, None] + 0.05 * np.sin(np.asarray(seeds))[None]
    figures = np.ones((1, len(unit), len(seeds), len(NAMES)))
    figures[0, ..., NAMES.index("net_cost_of_transport")] = power
    figures[0, ..., NAMES.index("device_power_w_per_kg")] = (1 - unit[:, :1]) * 0.3
    figures[0, ..., NAMES.index("device_torque_peak")] = (1 - unit[:, :1]) * 80
    figures[0, ..., [NAMES.index("fell"), NAMES.index("speed_error")]] = 0.0
    return figures


def lab(study=None, walk=cost, family=FAMILY):
    params = types.SimpleNamespace(device_family=family)
    bundle = types.SimpleNamespace(config=types.SimpleNamespace(env_params=params))
    study = study or DesignStudy(policies=("one",), designs=120, population=12, seeds=2)
    return Lab(study, ("1: one",), (bundle,), 1.25, walk)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    pytest.importorskip("cma")
    monkeypatch.setattr("mjx_assist.lab.optimize.fingerprint", lambda bundle: "f")


def test_the_optimum_is_found_and_its_interval_holds_it(tmp_path):
    result = run(lab(), tmp_path, lambda line: None)
    best = result["best"][0]
    expected = lab().design(BEST)
    for name, reach in (("peak_torque", 0.08), ("peak_time_percent", 1.0), ("stiffness_nm_per_rad", 12.0)):
        assert best["design"][name] == pytest.approx(expected[name], abs=reach)
    for place in result["surfaces"]["optimum"]:
        low, high = FAMILY.span(place["name"])
        reach = 0.02 * (high - low)  # the function has no noise, so the interval is narrow
        assert place["low"] - reach <= expected[place["name"]] <= place["high"] + reach
        assert place["high"] - place["low"] < 0.2 * (high - low)
    nothing = lab().unit({"peak_torque": 0.0, "stiffness_nm_per_rad": 0.0})
    at = np.where(np.isnan(nothing), BEST, nothing)
    base = cost(at[None], [search.np.pi])[0, 0, 0, 0]
    assert result["best"][0]["saving"]["mean"] == pytest.approx(100 * (1 - 3.0 / base), abs=1.0)
    assert not best["at_bound"] and result["best"][0]["saving"]["low"] < result["best"][0]["saving"]["mean"]
    powers = [row["device_power_w_per_kg"] for row in result["front"]]
    savings = [row["saving_percent"] for row in result["front"]]
    assert powers == sorted(powers) and savings == sorted(savings)
    page = write_design(tmp_path, result, ([0.0, 50.0, 100.0], {"profile": [0.0, -20.0, 0.0]}))
    assert page == tmp_path / PAGE and "of the same device without torque" in page.read_text()
    assert json.loads((tmp_path / JSON).read_text())["designs"] == result["designs"]


@pytest.fixture
def no_surfaces(monkeypatch):
    """They take longer than all else, and are tested by themselves."""
    monkeypatch.setattr(findings, "_FEWEST", 10_000)


def test_a_search_goes_on_where_it_stopped_and_repeats_from_its_seed(tmp_path, no_surfaces):
    walked = []

    def counted(unit, seeds):
        walked.append(len(unit))
        if sum(walked) > 70 and not (tmp_path / "again").exists():
            raise KeyboardInterrupt
        return cost(unit, seeds)

    with pytest.raises(KeyboardInterrupt):
        run(lab(walk=counted), tmp_path / "a", lambda line: None)
    with open(tmp_path / "a" / search.STATE, "ab") as file:
        file.write(b'{"unit": [[0.1')  # killed while it wrote
    (tmp_path / "again").touch()
    before = sum(walked[:-1])
    resumed = run(lab(walk=counted), tmp_path / "a", lambda line: None)
    assert sum(walked) - before < resumed["designs"] + 12
    assert resumed == run(lab(), tmp_path / "b", lambda line: None)
    with pytest.raises(UserError, match="another study: speed_m_s was"):
        run(Lab(lab().study, ("1: one",), lab().bundles, 1.0, cost), tmp_path / "a", lambda line: None)


def test_constraints_hold_falls_cost_and_a_bound_is_said(tmp_path, no_surfaces):
    study = DesignStudy(
        policies=("one",), designs=120, population=12, seeds=2, constraints={"device_torque_peak": 24.0, "fell": 0.0}
    )
    result = run(lab(study), tmp_path / "a", lambda line: None)
    assert 0.68 <= 1 + result["best"][0]["design"]["peak_torque"] <= 0.75  # 24 N*m of 80 at -1 N*m/kg

    def falling(unit, seeds):
        figures = cost(unit, seeds)
        lost = unit[:, 0] < 0.7
        figures[0, lost] = np.nan
        figures[0, lost, :, NAMES.index("fell")] = 1.0
        return figures

    result = run(lab(walk=falling), tmp_path / "b", lambda line: None)
    assert result["best"][0]["design"]["peak_torque"] >= -0.3
    held = run(lab(family=with_design(FAMILY, {"peak_torque": -0.6})), tmp_path / "c", lambda line: None)
    assert held["best"][0]["design"]["peak_torque"] == pytest.approx(-0.6)
    narrow = DeviceFamily(peak_torque=(-1.0, -0.9), peak_time_percent=(40.0, 60.0))

    def beyond(unit, seeds):
        return cost(np.c_[0.4 + unit[:, :1], unit[:, 1:], np.full((len(unit), 1), 0.2)], seeds)

    result = run(lab(walk=beyond, family=narrow), tmp_path / "d", lambda line: None)
    assert result["best"][0]["at_bound"] == ["peak_torque"] and result["nothing"] is None
    told = " ".join(result["notes"])
    assert "the optimum is at a bound: peak_torque" in told and "no saving is told" in told


def test_a_surface_is_the_textbook_posterior():
    """Two points, one parameter: k*^T (K + s^2 I)^-1 y by hand, and its variance."""
    at, value, length, noise = np.array([[0.2], [0.6]]), np.array([1.0, -1.0]), np.array([0.3]), 0.1
    made = surface.Surface(at, value, 2.0, 3.0, length, noise)
    k = np.exp(-0.5 * ((0.2 - 0.6) / 0.3) ** 2)
    star = np.exp(-0.5 * ((np.array([0.2, 0.6]) - 0.5) / 0.3) ** 2)
    inverse = np.linalg.inv([[1 + noise**2, k], [k, 1 + noise**2]])
    mean, sd = made.predict(np.array([[0.5]]))
    assert mean[0] == pytest.approx(2 + 3 * star @ inverse @ value, abs=1e-6)
    assert sd[0] == pytest.approx(3 * np.sqrt(1 - star @ inverse @ star), abs=1e-5)
    gradient = surface._unlikelihood(np.log([0.3, 0.1]), at, value)[1]
    for i in range(2):
        step = np.eye(2)[i] * 1e-5
        ends = [surface._unlikelihood(np.log([0.3, 0.1]) + way * step, at, value)[0] for way in (1, -1)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)


def test_the_band_of_a_surface_holds_the_truth():
    rng = np.random.default_rng(0)
    at = surface.evenly(2, 60, rng)
    truth = lambda u: np.sin(3 * u[:, 0]) + u[:, 1] ** 2  # noqa: E731
    made = surface.fit(at, truth(at) + rng.normal(0, 0.05, 60))
    places = rng.uniform(0.05, 0.95, (300, 2))
    mean, sd = made.predict(places)
    assert np.abs(mean - truth(places)).max() < 0.15
    assert (np.abs(mean - truth(places)) < 1.96 * sd).mean() > 0.8


def test_the_design_without_torque_keeps_the_rest():
    unit = findings.nothing(FAMILY, lab(), BEST)
    assert lab().design(unit) == pytest.approx(
        {"peak_torque": 0.0, "peak_time_percent": 54.0, "stiffness_nm_per_rad": 0.0}
    )


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({}, "'policies': name at least one policy"),
        ({"policies": ["p"], "objective": {"net_cost_of_transprt": 1.0}}, "Did you mean 'net_cost_of_transport'"),
        ({"policies": ["p"], "objective": {}}, "'objective': names no figure"),
        ({"policies": ["p"], "constraints": {"falls": 0}}, "'constraints': figure: 'falls' is unknown"),
        ({"policies": ["p"], "designs": 3}, "'designs' must be 8 or more (3)"),
        ({"policies": ["p"], "population": 2}, "4 designs a generation or more, got 2"),
        ({"policies": ["p"], "seconds": 2}, "it must last more than 4, got 2"),
        ({"policies": ["p"], "seed": -1}, "'seed': must lie in 0..4294967295, got -1"),
        ({"policies": ["p"], "pop": 2}, "'pop' is unknown"),
    ],
)
def test_what_is_no_study_is_told(tmp_path, tree, told):
    (tmp_path / "STUDY.json").write_text(json.dumps(tree))
    with pytest.raises(UserError) as error:
        read_design_study(tmp_path / "STUDY.json")
    assert told in str(error.value) and "STUDY.json" in str(error.value)
