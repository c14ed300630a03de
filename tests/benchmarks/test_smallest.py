"""Every benchmark runs, at its smallest, and figures come out; those that take more than seconds are slow tests."""

import json
import math
import sys

import ablations
import brax_tasks
import common
import compile as compiling
import composed
import physics
import physics_rate
import pytest
import small_runs
import terrain
import throughput
import time_to_walk
import train_sweep
import update_cost

from mjx_assist.sim.physics.compiled import build
from mjx_assist.training.export import load_policy

NETS = json.dumps(small_runs.NETS)
PEERS = common.DOCS.parent / "benchmarks" / "peers"
SMALL = {  # overrides of a preset: a run of two updates
    "env_params.backend": "mujoco",
    "env_params.num_envs": "8",
    "env_params.custom_max_episode_steps": "6",
    "policy_params.net_arch": NETS,
    "ppo_params.n_steps": "8",
    "ppo_params.batch_size": "32",
    "ppo_params.n_epochs": "2",
}


def figures(x):
    """Every number of a JSON value."""
    if isinstance(x, dict | list):
        return [number for value in (x.values() if isinstance(x, dict) else x) for number in figures(value)]
    return [x] if isinstance(x, int | float) and not isinstance(x, bool) else []


@pytest.fixture
def written(monkeypatch, tmp_path):
    """Run a benchmark's ``main`` with these words and ``--json``: what it wrote, which has numbers, all finite."""

    def run(main, *words):
        file = tmp_path / "figures.json"
        monkeypatch.setattr(sys, "argv", ["benchmark", *map(str, words), "--json", str(file)])
        main()
        found = json.loads(file.read_text())
        assert figures(found) and all(map(math.isfinite, figures(found)))
        return found

    return run


@pytest.mark.slow
def test_physics(written):
    (row,) = written(physics.main, "--batch", 16, "--states", 3, "--rounds", 1, "--mjx", "none")["results"]
    assert row["ratios"]["c"] > 1.5  # the full model is the dearer one
    if build.compiler():
        assert 0 < row["reduced"]["compiled_us"] < row["reduced"]["c_us"]


@pytest.mark.slow
def test_physics_rate(written):
    rates = written(physics_rate.main, "--rates", 240, physics_rate.REFERENCE_RATE, "--windows", 1)["rates"]
    assert set(rates["240"]) == set(rates["1920"]) and rates["240"]["knee_angle"]["mean_deg"] > 0
    assert max(x["p95_deg"] for x in rates["1920"].values()) == 0.0  # the reference against itself


@pytest.mark.slow
def test_terrain(written):
    rows = written(terrain.main, "--backend", "mujoco", "--envs", 4, "--steps", 2, "--rounds", 1)["mujoco"]
    assert set(rows) == set(terrain.GROUNDS)
    assert rows["flat"]["wall_ratio"] == 1.0 and all(x > 0 for row in rows.values() for x in row.values())


@pytest.mark.slow
def test_couplings_of_the_composed_model_slip_within_what_was_found(monkeypatch):
    """docs/composed.md: up to 68 mm in a walk until its fall; a tenth of a second slips less, and is not nothing."""
    monkeypatch.setattr(composed, "CONTROL_STEPS", 3)
    found = composed.slips(load_policy("walk22_exo"), seeds=1)
    assert set(found) == set(composed.GROUPS)
    assert 0.0 < max(row["max_mm"] for row in found.values()) < 68.0


@pytest.mark.slow
def test_ablations_and_time_to_walk(written, monkeypatch):
    """Nobody walks within an update: it ends with a gait."""
    monkeypatch.setattr(time_to_walk, "EPISODES", 2)
    monkeypatch.setattr(time_to_walk, "STEPS", 30)
    monkeypatch.setattr(ablations, "CHANGES", {"small": SMALL})
    (row,) = written(ablations.main, "small", "--seeds", 1, "--limit", small_runs.UPDATE)["small"]
    assert row["walked_steps"] is None and row["steps"] == small_runs.UPDATE
    assert row["gait"]["falls"] == 2  # of an untrained policy
    assert row["steps_per_s"] == pytest.approx(small_runs.UPDATE / row["seconds"])


@pytest.mark.slow
def test_updates_after_the_first_compile_nothing(monkeypatch):
    monkeypatch.setattr(compiling, "N_STEPS", 4)
    result = compiling.measure("mujoco", 8)
    assert result["recompiled"] == 0
    assert sum(result["seconds"].values()) == pytest.approx(result["total"])
    assert set(result["seconds"]) == set(compiling.PARTS)


@pytest.mark.parametrize(
    "backend", ["mujoco", *(pytest.param(name, marks=pytest.mark.slow) for name in ("compiled", "mjx", "warp"))]
)
def test_throughput_measures_every_part(monkeypatch, backend):
    if backend == "warp":
        pytest.importorskip("warp")
    monkeypatch.setattr(throughput, "SIZES", {backend: (8, 4)})
    row = throughput.measure(backend, 2)
    assert (row["num_envs"], row["n_steps"]) == (8, 4)
    assert set(row["seconds"]) == set(throughput.STEPS)
    assert all(map(math.isfinite, figures(row))) and min(row["seconds"].values()) > 0
    assert row["control_steps_per_s"] == pytest.approx(32 / row["seconds"]["update"])
    assert ("limits" in row) == (backend == "compiled" and build.compiler() is not None)
    for part in ("bare", "update") if "limits" in row else ():
        least = row["limits"][part]
        assert 1e4 < least["flops"] < 1e7 and least["us"][0] * 32e-6 < row["seconds"]["update"]


@pytest.mark.slow
def test_composed(written, monkeypatch):
    monkeypatch.setattr(composed, "CONTROL_STEPS", 3)
    found = written(composed.main, "--seeds", 1)
    assert set(found["slip"]) == set(composed.GROUPS) and found["muscles"]
    assert {"none rigid", "all rigid", "only knee rigid"} < set(found["steps"])


@pytest.mark.slow
def test_update_cost(written):
    (row,) = written(update_cost.main, "--num_envs", 8)
    assert set(row["parts"]) == {"physics", "env and policy", "values and optimisation"} and row["memory_bytes"] > 0


@pytest.mark.slow
def test_physics_in_mjx(written):
    (row,) = written(physics.main, "--batch", 4, "--states", 3, "--rounds", 1, "--mjx", "reduced")["results"]
    assert row["reduced"]["mjx"]["us"] > 0 and row["reduced"]["mjx"]["flops"] > 1e4


@pytest.mark.slow
def test_time_to_walk_ends_when_its_seconds_are_over(written, monkeypatch):
    monkeypatch.setattr(time_to_walk, "EPISODES", 2)
    monkeypatch.setattr(time_to_walk, "STEPS", 30)
    overrides = [word for key, value in SMALL.items() for word in (f"--{key}", value)]
    (row,) = written(time_to_walk.main, "--seconds", 1e-6, *overrides)["runs"]
    assert row["steps"] == small_runs.UPDATE and row["gait"]["falls"] == 2


@pytest.mark.slow
def test_compile(written):
    runs = written(compiling.main, "--backends", "compiled", "--num_envs", 8)["results"]["compiled"]
    assert runs["warm"]["xla"] < runs["cold"]["xla"] and runs["warm"]["recompiled"] == 0


@pytest.mark.slow
def test_train_sweep(written):
    (row,) = written(train_sweep.main, "myolegs22", "--devices", "Tutorial_L1", "--steps", 2048)
    assert (row["train"], row["evaluate"], row["not_finite"]) == ("ok", "ok", 0)


@pytest.mark.slow
def test_brax_tasks(written):
    (row,) = written(brax_tasks.main, "--tasks", "inverted_pendulum", "--seeds", 1, "--steps", 4096)
    assert len(row["ours"]) == len(row["brax"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("script", "needs"), [("brax_ppo.py", "brax"), ("sb3_ppo.py", "stable_baselines3")])
@pytest.mark.parametrize("backend", ["mujoco", "compiled"])
def test_peers_tell_their_rate_and_settings(script, needs, backend):
    pytest.importorskip(needs)
    found = common.in_subprocess(PEERS / script, "--smallest", "--backend", backend, timeout=900)
    assert found.get("control_steps_per_s", 0) > 0 and "1 minibatches" in found["settings"], found
