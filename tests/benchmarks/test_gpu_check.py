"""`make gpu-check`: steps survive each other's failures, and a dry run on the CPU finds figures."""

import json
import sys

import gpu_check
import gpu_steps
import pytest

from mjx_assist.sim.physics.compiled import build

ROW = {"num_envs": 1024, "compile_s": 2.0, "physics_steps_per_s": 5e6, "peak_mb": 12.0}


def run(monkeypatch, out, *words):
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", "--out", str(out), *words])
    gpu_check.main()


def found(out):
    return json.loads((out / "figures.json").read_text())


def saying(*lines, then=""):
    return ("-c", "\n".join([f"print({json.dumps(line)!r}, flush=True)" for line in lines] + [then]))


def test_a_step_that_fails_or_takes_too_long_is_told_and_the_others_run_on(monkeypatch, capsys, tmp_path):
    made = [
        gpu_check.Step("device", 1.0, saying({"platform": "cpu", "kind": "a chip", "versions": "jax 0"})),
        gpu_check.Step("throughput compiled", 1.0, saying(ROW, {"num_envs": 4096, "error": "no memory"})),
        gpu_check.Step("throughput warp", 1.0, saying(ROW, then="raise SystemExit('no such kernel')")),
        gpu_check.Step("throughput mjx", 1.0, saying(ROW, then="import time; time.sleep(60)")),
        gpu_check.Step("profile", 9.0, saying({"trace": "t", "busiest": {"fusion": 0.75}})),
    ]
    monkeypatch.setattr(gpu_check, "steps", lambda *_: made)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, tmp_path, "--cpu", "--minutes", "0.4")
    assert ended.value.code == "did not end well: throughput compiled, throughput warp, throughput mjx"  # exit code 1
    figures, text, log = found(tmp_path), capsys.readouterr().out, (tmp_path / "log.txt").read_text()
    assert [figures[step.name]["error"] for step in made[:3]] == [None, "4096 walkers: no memory", "no such kernel"]
    assert figures["throughput mjx"]["error"].startswith("took more than")
    assert figures["throughput warp"]["rows"] == figures["throughput mjx"]["rows"] == [ROW]
    assert figures["profile"]["busiest"] == {"fusion": 0.75} and "no such kernel" in log
    assert "| `warp` | not run | 1,024 | 5,000,000 | 2.0 s | 12 MB |" in text
    assert "| `compiled` | not run | 4,096 | no memory |" in text and "`fusion` 75%" in text


def test_a_missing_gpu_is_a_sentence(monkeypatch, capsys, tmp_path):
    words = saying(then="raise SystemExit('Unable to initialize backend cuda')")
    monkeypatch.setattr(gpu_check, "steps", lambda *_: [gpu_check.Step("device", 1.0, words)])
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, tmp_path)
    assert ended.value.code == 2
    assert "no NVIDIA GPU that JAX can use: Unable to initialize backend cuda." in capsys.readouterr().err


def test_what_pytest_said_until_it_ended_counts():
    said = "a/test_x.py::test_a PASSED [ 1%]\na/test_x.py::test_b[gpu and more] FAILED [ 2%]\na/test_x.py::test_c "
    told = gpu_check.tests_told(gpu_check.Output(said, "", "took more than 5 s"))
    assert told == {"error": "failed: test_x.py::test_b[gpu and more]", "passed": 1, "failed": told["failed"]}
    slow = gpu_check.tests_told(gpu_check.Output(said.splitlines()[0], "", "took more than 5 s"))
    assert slow["error"] == "took more than 5 s" and slow["passed"] == 1
    assert gpu_check.tests_told(gpu_check.Output("a/t.py::test_a SKIPPED (no)", "", None))["error"] == "no test ran"


def test_the_fastest_backend_that_agrees_trains():
    rows = {"compiled": 9e6, "warp": 5e6, "mjx": 1e6}
    figures = {f"throughput {n}": {"error": None, "rows": [{**ROW, "physics_steps_per_s": x}]} for n, x in rows.items()}
    assert gpu_check.best_backend(figures) == "compiled"
    figures |= {"agreement compiled": {"error": "failed: test_x"}, "agreement mjx": {"error": None}}
    assert gpu_check.best_backend(figures) == "mjx"
    assert gpu_check.best_backend({}) == "compiled"


def test_the_time_of_operations_is_shared_out():
    """Of a loop only what is in it counts, and nothing of the host's."""
    events = [("fusion", 6, True), ("while.3", 9, True), ("dot", 2, True), ("fusion", 2, True), ("python", 99, False)]
    trace = [{"name": name, "dur": dur, "args": {"hlo_op": name} if op else {}} for name, dur, op in events]
    assert gpu_steps.busiest({"traceEvents": [*trace, {"name": "metadata"}]}) == {"fusion": 0.8, "dot": 0.2}


@pytest.mark.skipif(build.compiler() is None, reason="no C++ compiler")
@pytest.mark.slow
def test_a_dry_run_of_the_cheap_steps(monkeypatch, tmp_path):
    run(monkeypatch, tmp_path, "--cpu", "--minutes", "20", "--steps", "device", "throughput compiled")
    figures = found(tmp_path)
    assert figures["device"]["platform"] == "cpu"
    assert [row["num_envs"] for row in figures["throughput compiled"]["rows"]] == list(gpu_check.SMALLEST)
    assert all(row["physics_steps_per_s"] > 0 for row in figures["throughput compiled"]["rows"])


@pytest.mark.slow
def test_a_dry_run_of_all_steps(monkeypatch, tmp_path):
    pytest.importorskip("warp")
    run(monkeypatch, tmp_path, "--cpu", "--minutes", "40")
    figures = found(tmp_path)
    assert set(figures) == {step.name for step in gpu_check.steps(True, tmp_path)}
    assert figures["time to walk"]["steps_per_s"] > 0 and figures["profile"]["busiest"]
    assert all(figures[f"agreement {name}"]["passed"] for name in gpu_check.BACKENDS)
