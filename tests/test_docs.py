"""What the documentation says exists: files, modules and names; docs/api.md runs as it is printed."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from checkout import ROOT

from mjx_assist.training import run

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str = "python") -> list[str]:
    """The fenced code of a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path):
    ours = {path.name for folder in (ROOT, ROOT / "mjx_assist") for path in folder.iterdir()}
    named = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|md|json|sh))(?:::\w+)?`", page.read_text())
    named = [name for name in named if name.split("/")[0] in ours]  # not another project's
    named += re.findall(r"\]\(([^)#:]+\.md)", page.read_text())
    places = (ROOT, ROOT / "mjx_assist", page.parent)
    assert not [name for name in named if not any((place / name).exists() for place in places)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_that_a_page_imports_exist(page: Path):
    told = re.findall(r"`(mjx_assist(?:\.\w+)+)`", page.read_text())
    for dotted in told:
        module, _, name = dotted.rpartition(".")
        assert hasattr(importlib.import_module(module), name) or importlib.import_module(dotted), dotted
    for block in blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("mjx_assist"):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    found = hasattr(module, alias.name)
                    assert found or importlib.import_module(f"{node.module}.{alias.name}"), f"{page.name}: {alias.name}"


def test_the_doors_in_the_docs_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "_use_compilation_cache", lambda: None)
    scope: dict = {}
    for number, block in enumerate(blocks(ROOT / "docs" / "api.md")):
        exec(compile(block, f"docs/api.md, block {number + 1}", "exec"), scope)
    assert scope["run"].control_steps == 128 and (scope["run"].path / "policy" / "bundle.json").is_file()
    assert scope["state"].obs.shape == (scope["env"].observation_size,)
    assert {path.name for path in Path("report").iterdir()} >= {"report.html", "metrics.json", "strides.csv"}
    assert {path.name for path in Path("comparison").iterdir()} >= {"compare.html", "compare.json", "compare.csv"}
    assert "11 degrees of freedom; 39 coordinates" in capsys.readouterr().out
    doors = set(re.findall(r"`(\w+)[(.]", (ROOT / "docs" / "api.md").read_text().split("## Train")[0]))
    assert set(scope["mjx_assist"].__all__) <= doors
