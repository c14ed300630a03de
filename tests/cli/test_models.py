"""What `mjx-assist models` answers: the list from the shipped table, pictures, plots, and a sweep that can go on."""

import json
from pathlib import Path

import numpy as np
import pytest
from full_disk import largest_file
from matplotlib.image import imread

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.view import strip
from mjx_assist.model.assembly import available
from mjx_assist.model.fidelity import report as fidelity_report
from mjx_assist.model.fidelity import sweep
from mjx_assist.model.fidelity import table as model_table


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, reduced, report):
    """Compositions are reduced and measured at once; one of them cannot be. Returns those that were measured."""
    measured = []

    def reduce_model(human: str, device: str):
        if device == "STRIDE_L2":
            raise UserError("cannot reduce: a linkage of no known kind.")
        measured.append(device)
        return reduced

    monkeypatch.setattr(sweep, "reduce_model", reduce_model)
    monkeypatch.setattr(sweep, "fidelity", lambda _: report)
    return measured


def test_a_sweep_goes_on_where_it_was_and_tells_what_failed(quick, tmp_path: Path, capsys):
    table, document = tmp_path / "table.json", tmp_path / "models.md"
    document.write_text(f"# Models\n{sweep.START}\nold\n{sweep.END}\nThe end.\n")
    command = ["models", "sweep", "myolegs22", "--device", "none", "--device", "Tutorial_L1", "--device", "STRIDE_L2"]
    command += ["-o", str(tmp_path / "files"), "--json", str(table), "--markdown", str(document)]
    assert main(command) == 0
    assert quick == ["none", "Tutorial_L1"]
    assert "2 keep every bound, 0 miss some, 1 cannot be reduced" in capsys.readouterr().out
    kept = document.read_text()
    assert kept.startswith("# Models\n") and kept.endswith("\nThe end.\n") and "old" not in kept
    assert "- `STRIDE_L2`: **not reduced**, cannot reduce: a linkage of no known kind.\n" in kept
    assert len(json.loads(table.read_text())["compositions"]) == 3
    assert main(command) == 0
    assert quick == ["none", "Tutorial_L1"]  # nothing is measured twice
    assert document.read_text() == kept


def test_the_list_shows_what_the_table_knows(monkeypatch, reduced, report, capsys):
    row = {**model_table.row(reduced, report), "device": "Tutorial_L1"}
    monkeypatch.setattr(model_table, "shipped", lambda: [row])
    assert main(["models", "list"]) == 0
    printed = capsys.readouterr().out
    for human, devices in available().items():
        assert human in printed
        assert all(device in printed for device in devices)
    lines = [line for line in printed.splitlines() if line.startswith("Tutorial_L1 ")]
    assert sum("39 → 11" in line for line in lines) == 1
    assert sum("not measured" in line for line in lines) == len(available()) - 1


def test_a_document_without_marks_is_left_alone(quick, tmp_path: Path, capsys):
    document = tmp_path / "mine.md"
    document.write_text("mine\n")
    command = ["models", "sweep", "myolegs22", "--device", "none", "-o", str(tmp_path), "--markdown", str(document)]
    assert main(command) == 2
    assert "has no lines" in capsys.readouterr().err
    assert document.read_text() == "mine\n"


def test_an_unknown_device_of_a_sweep_is_answered_before_the_work(capsys):
    assert main(["models", "sweep", "myolegs22", "--device", "Tutorial"]) == 2
    assert "Did you mean 'Tutorial_L1'?" in capsys.readouterr().err


def test_report_writes_figures_and_plots(monkeypatch, reduced, report, tmp_path: Path, capsys):
    shown = {"joint": "knee", "time_s": [0, 0.1], "reduced_deg": [0, 1], "full_deg": {"20 ms": [0, 2], "2 ms": [0, 1]}}
    rows = [
        {"time_constant_ms": c, "difference_deg": d, "joint": "knee", "bone_slip_mm": 1.0, "point_slip_mm": 2.0}
        for c, d in ((20.0, 1.0), (2.0, 0.1))
    ]
    motions = {"convergence": {"swing": {"rows": rows, "moves_deg": 1.0, "shown": shown}}}
    monkeypatch.setattr(fidelity_report, "fidelity", lambda _: report | motions)
    assert main(["models", "report", "myolegs22", "Tutorial_L1", "-o", str(tmp_path / "out")]) == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(files) == {"fidelity.json", "moment_arms_1.png", "convergence.png"}
    assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
    printed = capsys.readouterr().out
    assert "bounds" in printed.splitlines()[2]
    assert any(line.startswith("swing") and "20" in line for line in printed.splitlines())


@pytest.mark.slow
def test_show_draws_both_models(reduced, tmp_path: Path):
    """Bones and red muscles in both halves of the picture, which are not the same."""
    if not _can_render():
        pytest.skip("no OpenGL here")
    file = tmp_path / "models.png"
    assert main(["models", "show", "myolegs22", "Tutorial_L1", "-o", str(file)]) == 0
    image = imread(file)[100:, :, :3]  # without the titles
    full, own = np.array_split(image[:, : image.shape[1] // 2 * 2], 2, axis=1)
    for half in (full, own):
        assert (half < 0.99).any(-1).mean() > 0.03
        assert ((half[..., 0] > 0.35) & (half[..., 0] > 1.8 * half[..., 1])).mean() > 5e-4
    assert np.abs(full - own).mean() > 0.01


def test_show_without_opengl_is_one_sentence(monkeypatch, reduced, tmp_path: Path, capsys):
    monkeypatch.setattr(strip, "_gl_backends", lambda: [])
    assert main(["models", "show", "myolegs22", "Tutorial_L1", "-o", str(tmp_path / "models.png")]) == 2
    assert "OSMesa" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# --- the reports and models that are written


def test_models_list_names_humans_and_devices(capsys):
    assert main(["models", "list"]) == 0
    printed = capsys.readouterr().out
    assert "myolegs22" in printed
    assert "Tutorial_L1" in printed


def test_models_report_prints_and_writes_every_muscle(reduced, tmp_path: Path, capsys):
    file = tmp_path / "fidelity.json"
    assert main(["models", "report", "myolegs22", "Tutorial_L1", "--json", str(file)]) == 0
    printed, figures = capsys.readouterr().out, json.loads(file.read_text())
    muscles = {row["muscle"]: row for row in figures["muscles"]}
    assert len(muscles) == 22
    for name, row in muscles.items():
        (line,) = (line for line in printed.splitlines() if line.startswith(f"{name} "))
        assert f"{row['moment_arm_peak_mm']:.3f}" in line
    assert figures["size"]["reduced"]["nv"] == 11


def test_models_export_writes_a_model_that_mujoco_opens(reduced, tmp_path: Path):
    import mujoco
    import numpy as np

    out = tmp_path / "model"
    command = ["models", "export", "myolegs22", "Tutorial_L1", "-o", str(out)]
    assert main(command) == 0
    model = mujoco.MjModel.from_xml_path(str(out / "model.xml"))
    assert model.nv == 11
    coupling = json.loads((out / "coupling.json").read_text())
    qpos = np.linspace(-0.3, 0.4, model.nq)
    powers = qpos[coupling["source"]][:, None] ** np.arange(5)
    np.testing.assert_allclose((coupling["polycoef"] * powers).sum(1), reduced.coupling.lift(qpos), atol=1e-12)
    assert main(command) == 0  # an earlier export is replaced


def test_models_export_leaves_other_folders_alone(refused, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    assert "left as it is" in refused("models", "export", "myolegs22", "Tutorial_L1", "-o", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_no_space_for_an_exported_model_leaves_nothing(refused, reduced, tmp_path: Path):
    with largest_file(4096):
        message = refused("models", "export", "myolegs22", "Tutorial_L1", "-o", tmp_path / "model")
    assert "cannot be written" in message
    assert not list(tmp_path.iterdir())


def _can_render() -> bool:
    import os
    import subprocess
    import sys

    script = "import mujoco; c = mujoco.GLContext(64, 64); c.make_current(); c.free()"
    for backend in strip._gl_backends():
        environment = {**os.environ, **({"MUJOCO_GL": backend} if backend else {})}
        if subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True).returncode == 0:
            return True
    return False
