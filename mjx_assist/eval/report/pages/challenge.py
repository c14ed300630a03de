"""The challenge as one self-contained HTML page, with its figures as PNG and SVG beside it."""

from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.plots import challenge
from mjx_assist.eval.plots.style import save
from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Cell, Section, Table, render
from mjx_assist.eval.studies.challenge_table import HEADER, NOTE, cells, headline, overview_cell, side_by_side
from mjx_assist.files.atomic import write_text

PAGE = "challenge.html"


def write_page(out: Path, policies: Sequence[dict]) -> Path:
    """Write figures and page into ``out``; ``policies`` is what challenge.json holds."""
    policies = [policy for policy in policies if policy["rows"]]
    overview = save(challenge.overview(policies), out / "overview", dpi=160)
    gait = save(challenge.gait(policies), out / "gait", dpi=160)
    write_text(out / PAGE, page(policies, overview, gait))
    return out / PAGE


def page(policies: Sequence[dict], overview: bytes, gait: bytes) -> str:
    """The page of policies with rows; ``overview``, ``gait``: the figures as PNG."""
    return render(
        "challenge",
        title="Challenge",
        made=head([policy["name"] for policy in policies], "each row's"),
        headlines=[(policy["name"], headline(policy)) for policy in policies],
        overview=overview,
        side_by_side=_overview(policies) if len(policies) > 1 else None,
        gait=gait,
        sections=[Section(policy["name"], [_table(policy["rows"])]) for policy in policies],
        note=NOTE,
    )


def _overview(policies: Sequence[dict]) -> Table:
    """Policies side by side."""
    lines = [(name, *map(_overview_cell, results)) for name, results in side_by_side(policies)]
    return Table(("", *(policy["name"] for policy in policies)), lines, one_line=True)


def _overview_cell(row: dict | None) -> Cell:
    return Cell(overview_cell(row).strip("*"), "met" if row and row["met"] else "missed")


def _table(rows: Sequence[dict]) -> Table:
    """A policy's rows, group by group; the last cell says whether a row is met."""
    lines: list[Sequence[str | Cell]] = []
    group = None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            lines.append([Cell(group.capitalize(), "group", len(HEADER))])
        *texts, met = cells(row)
        lines.append([*texts, Cell(met, "met" if row["met"] else "missed")])
    return Table(HEADER, lines, one_line=True)
