"""A validation's folder: validate.json and one self-contained HTML page with its figure."""

from pathlib import Path

from mjx_assist.config.words import REDUCED
from mjx_assist.eval.plots import experiments as plots
from mjx_assist.eval.plots.style import save
from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Cell, Section, Table, render
from mjx_assist.eval.report.tables import NONE
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json

JSON, PAGE = "validate.json", "validate.html"
_METHOD = (
    "The list of experiments (models/experiments.json) is fixed: nothing is tuned to it, and what misses stays. Each "
    "condition is walked from the same seeds on the reduced model; the muscles' power is Umberger's (2010), without a "
    "resting rate and for the speed asked, since a policy is only asked for it; cost of transport is with that rate. "
    "A claim says that under one condition walking cost less than under another; a hit has that sign, surely where "
    "the interval leaves out zero. The size is a hit within two of the published standard deviations, or within half "
    "of the effect where none is known. Intervals are 95 %, over the walks of one training. People adapt for minutes "
    "to hours; a policy here walks what it was trained for, and other conditions as it can."
)


def write_validation(out: str | Path, result: dict) -> Path:
    """Write what `lab.validate.run` gives into a folder; returns its page."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, result)
    figures = [("Published and simulated", save(plots.effects(result), out / "effects", dpi=150))]
    page = render(
        "study",
        title="Against what was measured",
        made=head([f"{kind} policy" for kind in result["policies"]], REDUCED),
        about=(
            f"{len(result['experiments'])} experiments, walks of {result['seconds']:g} s from "
            f"{len(result['seeds'])} seeds"
        ),
        findings=findings(result),
        notes=[f"not walked: {row['title']} (needs --{row['policy']})" for row in result["not_run"]],
        figures=figures,
        sections=[Section("Effects", [_claims(row) for row in result["experiments"]])],
        method=_METHOD,
    )
    write_text(out / PAGE, page)
    return out / PAGE


def findings(result: dict) -> list[str]:
    """Hits in sentences."""
    (signs, of), (sizes, sized) = result["hits"]["signs"], result["hits"]["sizes"]
    return [
        f"Sign or order: {signs} of {of} published effects come out, {result['hits']['sure']} of them surely.",
        f"Size: {sizes} of the {sized} that have one.",
    ]


def _claims(row: dict) -> Table:
    lines = []
    for claim in row["claims"]:
        found, unit = (claim["simulated_percent"], " %") if claim["watt"] is None else (claim["simulated_watt"], " W")
        measured = claim["percent"] if claim["watt"] is None else claim["watt"]
        spread = f" ± {claim['spread']:g}" if claim["spread"] else ""
        published = "less" if measured is None else f"{measured:+g}{spread}{unit}"
        simulated = NONE if found["mean"] is None else f"{found['mean']:+.1f}{_limits(found)}{unit}"
        words = {True: "hit", False: "miss", None: NONE}
        sign = Cell(words[claim["sign"]], "sure" if claim["sign"] else "unsure")
        lines.append((f"{claim['lower']} against {claim['than']}", published, simulated, sign, words[claim["size"]]))
    people = f"{row['people']} people" if row["people"] else "people"
    return Table(
        ("", f"published ({people})", "simulated [95 %]", "sign", "size"), lines, f"{row['title']}. {row['source']}"
    )


def _limits(row: dict) -> str:
    return "" if row["low"] is None else f" [{row['low']:+.1f}, {row['high']:+.1f}]"
