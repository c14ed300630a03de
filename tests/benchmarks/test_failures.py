"""A case that fails is in the results and in the exit code; the others run on."""

import json
import sys
import time

import common
import compile as compiling
import pytest
import throughput
import train_sweep


def test_a_failed_or_slow_script_is_an_error_in_the_results(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import json, os; print('noise'); print(json.dumps({'seen': os.environ['SEEN']}))")
    assert common.in_subprocess(script, timeout=60, environment={"SEEN": "this"}) == {"seen": "this"}
    script.write_text("raise SystemExit('no such backend')")
    assert common.in_subprocess(script, timeout=60) == {"error": "no such backend"}
    script.write_text("import time; time.sleep(60)")
    assert common.in_subprocess(script, timeout=0.5) == {"error": "took more than 0.5 s"}


def test_a_program_that_takes_too_long_ends_with_all_that_it_started(tmp_path):
    late = tmp_path / "late"
    done = common.output(("sh", "-c", f"echo so far; (sleep 1; touch {late}) & wait"), timeout=0.3)
    assert (done.stdout, done.error) == ("so far\n", "took more than 0.3 s")
    time.sleep(1.5)
    assert not late.exists()


def test_throughput(monkeypatch, capsys, tmp_path):
    results = iter([{"error": "no room"}, {"control_steps_per_s": 10.0, "settings": "2 processes"}])
    monkeypatch.setattr(throughput, "in_subprocess", lambda *_, **__: next(results))
    file = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["throughput.py", "--cases", "mujoco", "sb3", "--json", str(file)])
    with pytest.raises(SystemExit, match="did not run: mujoco"):
        throughput.main()
    assert "no room" in capsys.readouterr().out
    assert json.loads(file.read_text())["results"]["sb3"]["control_steps_per_s"] == 10.0


def test_compile(monkeypatch, capsys):
    run = {"seconds": dict.fromkeys(compiling.PARTS, 1.0), "total": 3.0, "cpu": 3.0, "xla": 1.0, "recompiled": 0}
    results = iter([run, {"error": "no memory"}, run, run])
    monkeypatch.setattr(compiling, "in_subprocess", lambda *_, **__: next(results))
    monkeypatch.setattr(sys, "argv", ["compile.py", "--backends", "compiled", "mujoco"])
    with pytest.raises(SystemExit, match="did not run: compiled, warm"):
        compiling.main()
    assert "| `mujoco` | warm | 1.0 | 1.0 | 1.0 | 3.0 s |" in capsys.readouterr().out


def test_train_sweep(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(train_sweep, "command", lambda *_: "no room")
    words = ["myolegs22", "--devices", "Tutorial_L1", "DephyExoBoot_L1", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["train_sweep.py", *words])
    with pytest.raises(SystemExit, match="myolegs22 with Tutorial_L1, myolegs22 with DephyExoBoot_L1"):
        train_sweep.main()
    assert "0 of 2 compositions" in capsys.readouterr().out
