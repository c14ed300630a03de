"""A design search's folder: design.json and one self-contained HTML page, with its figures as PNG and SVG beside it."""

from collections.abc import Sequence
from pathlib import Path

from mjx_assist.config.design_study import FIGURES
from mjx_assist.config.words import REDUCED
from mjx_assist.eval.plots import design as plots
from mjx_assist.eval.plots.style import save
from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Cell, Section, Table, render
from mjx_assist.eval.report.tables import NONE
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json

JSON, PAGE = "design.json", "design.html"
_METHOD = (
    "One policy was trained with all devices of the family; it sees which one it wears, unless the family says "
    "otherwise. Every design is walked from the same seeds on the reduced model with the physics that trained; the "
    "first 3 s of a walk do not count. Designs are first spread evenly over the family (Sobol), then asked for by "
    "CMA-ES (Hansen 2016, arXiv:1604.00772) from the best of those; a constraint that is broken by its own size costs "
    "ten times the objective's. The best eight are walked again from 16 seeds that the search did not see, the best "
    "three of these once more from 16 others, beside the same device without torque: the figures are of these last "
    "walks. A saving compares walks of the same seed. Intervals are 95 % from the t distribution, over trainings where "
    "the study has several, else over walks of the one. The "
    "surface is a Gaussian process through the designs that keep the constraints (at most 200 of them), its lengths "
    "and noise those of the largest marginal likelihood; bands are of the surface, the others at the best design. "
    "It knows no constraint, so it may be lowest where people fall. Where it is lowest: 95 % of 400 surfaces that the "
    "measurements leave possible, of every training. None of this is about people: it is one model of a person, as "
    "well as it has learned."
)


def write_design(out: str | Path, result: dict, torque: tuple[Sequence[float], dict] | None) -> Path:
    """Write what `lab.findings.result` gives into a folder; returns its page.

    ``torque``: (percent of the gait cycle, name -> N*m) of the best design.

    Raises:
        UserError: something cannot be written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, result)
    drawn = {
        "Over each parameter": ("lines", plots.lines(result)),
        "Over pairs": ("pairs", plots.pairs(result)),
        "Saving against the device's power": ("front", plots.front(result)),
        "Torque of the best device": ("torque", plots.torque(*torque) if torque else None),
    }
    figures = [(title, save(figure, out / name, dpi=150)) for title, (name, figure) in drawn.items() if figure]
    write_text(out / PAGE, page(result, figures))
    return out / PAGE


def page(result: dict, figures: Sequence[tuple[str, bytes]]) -> str:
    """The page of what design.json holds; ``figures``: (title, PNG)."""
    sections = [
        Section("The best designs", [_best(result), _figures(result)]),
        Section("The family", [_family(result)]),
    ]
    if result.get("confirmed"):
        sections.insert(1, Section("Trained alone", [_confirmed(result["confirmed"])]))
    return render(
        "study",
        title="The best device of a family",
        made=head(result["policy_names"], REDUCED, physics="the physics that trained"),
        about=(
            f"{result['designs']} designs, each walked from {len(result['seeds'])} seeds by "
            f"{len(result['policy_names'])} trained policies for {result['seconds']:g} s at {result['speed_m_s']:g} m/s"
        ),
        findings=result["findings"],
        notes=result["notes"],
        figures=figures,
        sections=sections,
        method=_METHOD,
    )


def _best(result: dict) -> Table:
    lines = []
    for rank, row in enumerate(result["best"], 1):
        design = [f"{row['design'][p['name']]:.4g}" for p in result["parameters"]]
        lines.append((str(rank), *design, interval(row["saving"], ".1f") if row["saving"] else NONE))
    header = ("", *(plots.title(p["name"], result) for p in result["parameters"]), "saves % [95 %]")
    return Table(header, lines)


def _figures(result: dict) -> Table:
    """A line per figure: of each of the best, and of the device without torque."""
    columns = [row["figures"] for row in result["best"]] + ([result["nothing"]] if result["nothing"] else [])
    header = ("", *(str(i) for i in range(1, len(result["best"]) + 1)), *(["no torque"] if result["nothing"] else []))
    lines = [
        (f"{title}{f' ({unit})' if unit else ''}", *(interval(column[name], ".4g") for column in columns))
        for name, (title, unit) in FIGURES.items()
    ]
    return Table(header, lines, "From seeds that the search did not see")


def _family(result: dict) -> Table:
    optimum = {place["name"]: place for place in (result["surfaces"] or {"optimum": []})["optimum"]}
    lines = []
    for p in result["parameters"]:
        place = optimum.get(p["name"])
        where = f"{place['low']:.4g} to {place['high']:.4g}" if place else NONE
        at = Cell("at a bound", "sure") if p["name"] in result["best"][0]["at_bound"] else ""
        held = "searched" if p["searched"] else "held"
        lines.append((plots.title(p["name"], result), f"{p['low']:g}", f"{p['high']:g}", held, where, at))
    return Table(("", "low", "high", "", "the surface is lowest at (95 %)", ""), lines)


def _confirmed(rows: Sequence[dict]) -> Table:
    cells = [
        (row["physics"], row["side"], interval(row, ".3f"), str(row["trainings"]), row["percent"] or NONE)
        for row in rows
    ]
    header = ("", "device", "metabolic power W/kg [95 %]", "trainings", "against no torque [95 %]")
    return Table(header, cells, one_line=True)


def interval(row: dict, form: str) -> str:
    """Mean and limits as text; a dash where nothing is known."""
    if row["mean"] is None:
        return NONE
    limits = "" if row["low"] is None else f" [{row['low']:{form}}, {row['high']:{form}}]"
    return f"{row['mean']:{form}}{limits}"
