"""The benchmarks' own sums, and that an update after the first compiles nothing."""

import sys

import common
import compile as compiling
import composed
import jax
import numpy as np
import pytest
import small_runs
import terrain
import throughput
import time_to_walk
import update_cost

from mjx_assist import config as configs
from mjx_assist.training.export import load_policy


def test_updates_after_the_first_compile_nothing(monkeypatch):
    monkeypatch.setattr(compiling, "N_STEPS", 4)
    result = compiling.measure("mujoco", 8)
    assert result["recompiled"] == 0
    assert sum(result["seconds"].values()) == pytest.approx(result["total"])
    assert set(result["seconds"]) == set(compiling.PARTS)


def test_a_failed_or_slow_script_is_an_error_in_the_results(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import json, os; print('noise'); print(json.dumps({'seen': os.environ['SEEN']}))")
    assert common.in_subprocess(script, timeout=60, environment={"SEEN": "this"}) == {"seen": "this"}
    script.write_text("raise SystemExit('no such backend')")
    assert common.in_subprocess(script, timeout=60) == {"error": "no such backend"}
    script.write_text("import time; time.sleep(60)")
    assert common.in_subprocess(script, timeout=0.5) == {"error": "took more than 0.5 s"}


def test_a_table_replaces_only_what_is_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- a -->\nold\n<!-- /a -->\nbelow\n<!-- b -->\n<!-- /b -->\n")
    common.write_table(page, "a", "| new |")
    common.write_table(page, "a", "| newer |")
    assert page.read_text() == "above\n<!-- a -->\n| newer |\n<!-- /a -->\nbelow\n<!-- b -->\n<!-- /b -->\n"
    assert list(tmp_path.iterdir()) == [page]


def test_parts_of_an_update_add_up_and_failures_are_told():
    seconds = dict(zip(throughput.STEPS, (1.0, 1.1, 1.2, 1.3, 1.5), strict=True))
    row = {
        "device": "cpu",
        "num_envs": 100,
        "n_steps": 10,
        "seconds": seconds,
        "physics_steps_per_s": 8000.0,
        "control_steps_per_s": 1000 / 1.5,
        "overhead": 0.5,
        "overhead_cpu": 0.4,
        "env_over_bare": 1.2,
        "peak_host_mb": 900.0,
        "peak_device_mb": None,
    }
    text = throughput.table({"mujoco": row, "warp": {"error": "no warp"}, "sb3": {"control_steps_per_s": 100.0}})
    assert "| 1000.0 | 100.0 | 100.0 | 100.0 | 200.0 | +50% | +40% | 1.20 | 900 MB |" in text
    assert "| 100 | 6.7 x |" in text and "`warp` did not run: no warp" in text


def test_xla_counts_the_body_of_a_loop_once():
    """What `update_cost` rests on: twice the matrix product's 2 n^3 FLOPs in a row, but one of them in a loop."""
    n = 64
    square = jax.ShapeDtypeStruct((n, n), np.float32)
    one = update_cost.cost(update_cost.compiled(lambda x: x @ x, square))
    two = update_cost.cost(update_cost.compiled(lambda x: (x @ x) @ x, square))
    loop = jax.jit(lambda x: jax.lax.scan(lambda c, _: (c @ x, None), x, None, length=7)[0])
    looped = update_cost.cost(update_cost.compiled(loop, square))
    assert one.flops == pytest.approx(2 * n**3, rel=0.01)
    assert two.flops == pytest.approx(4 * n**3, rel=0.01)
    assert looped.flops == pytest.approx(2 * n**3, rel=0.05)


def test_the_slower_of_memory_and_arithmetic_bounds_the_rate():
    bandwidth, peak = update_cost.CHIPS["H100 SXM"]
    memory_bound = {"num_envs": 10, "n_steps": 2, "parts": {"a": (0.1 * peak, bandwidth), "b": (0.1 * peak, bandwidth)}}
    rate, limit = update_cost.bound(memory_bound, "H100 SXM")
    assert (rate, limit) == (pytest.approx(10.0), "memory")
    assert update_cost.bound({**memory_bound, "parts": {"a": (4 * peak, 1.0)}}, "H100 SXM")[1] == "arithmetic"


def test_throughput_measures_every_part(monkeypatch):
    monkeypatch.setattr(throughput, "SIZES", {"mujoco": (8, 4)})
    row = throughput.measure("mujoco", 2)
    assert (row["num_envs"], row["n_steps"]) == (8, 4)
    assert set(row["seconds"]) == set(throughput.STEPS) and all(x > 0 for x in row["seconds"].values())
    assert row["control_steps_per_s"] == pytest.approx(32 / row["seconds"]["update"])
    assert np.isfinite([row["overhead"], row["env_over_bare"], row["peak_host_mb"]]).all()


def test_a_case_that_fails_is_in_the_exit_code(monkeypatch, capsys, tmp_path):
    results = iter([{"error": "no room"}, {"control_steps_per_s": 10.0}])
    monkeypatch.setattr(throughput, "in_subprocess", lambda *_, **__: next(results))
    monkeypatch.setattr(
        sys, "argv", ["throughput.py", "--cases", "mujoco", "sb3", "--json", str(tmp_path / "out.json")]
    )
    with pytest.raises(SystemExit, match="did not run: mujoco"):
        throughput.main()
    assert "no room" in capsys.readouterr().out and (tmp_path / "out.json").is_file()


def test_time_to_walk_ends_with_a_gait_where_nobody_walks_in_time(monkeypatch):
    monkeypatch.setattr(time_to_walk, "EPISODES", 2)
    monkeypatch.setattr(time_to_walk, "STEPS", 30)
    config = configs.from_dict({**small_runs.CONFIG, "total_timesteps": small_runs.UPDATE})
    result = time_to_walk.time_to_walk(config, limit=small_runs.UPDATE, every=1, show=lambda _: None)
    assert result["walked_steps"] is None and result["steps"] == small_runs.UPDATE
    assert result["gait"]["falls"] == 2  # of an untrained policy
    assert result["steps_per_s"] == pytest.approx(small_runs.UPDATE / result["seconds"])


def test_rough_ground_is_timed_against_flat():
    rows = terrain.measure("mujoco", envs=4, steps=2, rounds=1)
    assert set(rows) == set(terrain.GROUNDS)
    assert rows["flat"]["wall_ratio"] == 1.0 and all(x > 0 for row in rows.values() for x in row.values())


def test_couplings_of_the_composed_model_slip_within_what_was_found(monkeypatch):
    """docs/composed.md: up to 68 mm in a walk until its fall; a tenth of a second slips less, and is not nothing."""
    monkeypatch.setattr(composed, "CONTROL_STEPS", 3)
    policy = load_policy("walk22_exo")
    found = composed.slips(policy, seeds=1)
    assert set(found) == set(composed.GROUPS)
    assert 0.0 < max(row["max_mm"] for row in found.values()) < 68.0
