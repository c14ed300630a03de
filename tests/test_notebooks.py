"""The notebooks of docs/notebooks run from the first cell to the last; none carries outputs."""

import json
from pathlib import Path

import pytest
from checkout import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_by_installing_and_carries_no_outputs(path: Path):
    codes = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert "%pip install" in "".join(codes[0]["source"])
    assert not any(cell["outputs"] or cell["execution_count"] for cell in codes)
    page = (ROOT / "docs" / "notebooks.md").read_text()
    assert f"notebooks/{path.name}" in page


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import nbclient
    import nbformat

    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel's mjx_assist is the checkout's
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
