"""The flags for figures, of `report`, `compare` and `study`, and what they mean."""

import argparse
from collections.abc import Sequence

from mjx_assist.cli.arguments import names_of
from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.report.paper import DPI, FOLDER, FORMATS


def add_figures(parser: argparse.ArgumentParser, labels: str = "") -> None:
    """``--figures`` and, where ``labels`` says what they name, ``--labels``."""
    every = ",".join(FORMATS)
    text = f"figures for papers, each whole and panel by panel, in DIR/{FOLDER}: {every} (PNG at {DPI} dpi)"
    parser.add_argument("--figures", metavar=every, help=text)
    if labels:
        parser.add_argument("--labels", metavar="A,B,...", help=f"{labels}, with commas")


def formats_of(text: str | None) -> list[str]:
    """``png,pdf`` as a list.

    Raises:
        UserError: a format that is not written here.
    """
    formats = names_of("--figures", text) or []
    for kind in formats:
        if kind not in FORMATS:
            raise unknown("--figures", kind, FORMATS)
    return formats


def labels_of(text: str | None, named: Sequence[str]) -> list[str]:
    """A label for each of ``named``, by default its name.

    Raises:
        UserError: too many, too few, or one twice.
    """
    labels = names_of("--labels", text) or list(named)
    if len(labels) != len(named) or len(set(labels)) < len(labels):
        told = f"{len(named)} different names are needed, for: {'; '.join(named)}"
        raise UserError(f"--labels {text!r}: {told}.")
    return labels
