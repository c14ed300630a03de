"""The code that docs/extending.md prints, for the tests that run it."""

import re

from checkout import ROOT


def example(section: str, language: str = "python") -> str:
    """The first block of code of a section."""
    text = (ROOT / "docs" / "extending.md").read_text()
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]
    return re.search(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
