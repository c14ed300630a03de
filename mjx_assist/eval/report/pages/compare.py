"""A comparison as one self-contained HTML page, with its figures as PNG and SVG beside it."""

from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.plots import compare, people
from mjx_assist.eval.plots.style import save
from mjx_assist.eval.report import paper
from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Cell, Table, render
from mjx_assist.eval.report.tables import label, number
from mjx_assist.eval.studies.compare import GROUPS, Walks
from mjx_assist.eval.studies.statistics import RESAMPLES
from mjx_assist.files.atomic import write_text

PAGE = "compare.html"
POWER, COST = "umberger2010_muscle_power_w_per_kg", "umberger2010_cost_of_transport_j_per_kg_m"
KEY_FIGURES = (
    POWER,
    "bhargava2004_muscle_power_w_per_kg",
    COST,
    "all_muscles_activation_mean",
    "soleus_activation_mean",
    "ankle_plantarflexion_biological_moment_peak_nm_per_kg",
    "grf_peak_bw",
    "speed_m_s",
    "stride_time_s",
)
_FIGURES = {
    "people": "Over people",
    "metabolic": "Metabolic cost",
    "kinematics": "Kinematics",
    "kinetics": "Kinetics",
    "activation": "Muscle activation",
    "further": "Further figures",  # where there are any
}
_METHOD = (
    "Every case walked from the same seeds: the same phase of the gait to start from and the same commands. A figure "
    "is one number per stride (events and strides as in the gait report; an episode's first and last stride do not "
    "count); the mean is over all strides of all episodes, ± SD between strides. Intervals are 95 %, from a "
    f"studentised bootstrap of {RESAMPLES} resamples that draws whole episodes, because the strides of one episode "
    "are not independent of each other (Davison and Hinkley 1997; Cameron, Gelbach and Miller 2008); for a difference "
    "episodes of the same seed are drawn together, and seeds that one of the two did not walk are left out. Bold: the "
    "interval leaves out zero. Each interval is by itself: of twenty figures that do not differ, one is bold by "
    "chance."
)


def write_page(out: Path, result: dict, walks: Sequence[Walks], formats: Sequence[str] = ()) -> Path:
    """Write figures and page into ``out``; ``result`` is what compare.json holds; ``formats``: for papers."""
    drawn = {
        "metabolic": compare.metabolic(walks, result["figures"], result["baseline"]),
        "kinematics": compare.kinematics(walks),
        "kinetics": compare.kinetics(walks),
        "activation": compare.activation(walks),
        "people": people.people(walks),
    }
    further = compare.further(walks, result["figures"], result["baseline"])
    drawn |= {"further": further} if further else {}
    images = {name: save(figure, out / name, dpi=150) for name, figure in drawn.items()}
    write_text(out / PAGE, page(result, images))
    paper.write(out, drawn, formats)
    return out / PAGE


def findings(result: dict) -> list[str]:
    """A sentence per case and speed: its muscle power and cost of transport against the baseline's, by Umberger."""
    by_place: dict[tuple[str, float], list[str]] = {}
    for figure, name in ((POWER, "muscle power"), (COST, "cost of transport")):
        for row in result["figures"]:
            if row["figure"] != figure or row.get("difference_percent") is None:
                continue
            text = f"{name} {row['difference_percent']:+.1f} %"
            if _sure(row) is not None:
                text += f" [{row['low_percent']:+.1f}, {row['high_percent']:+.1f}]"
            text += ", no certain difference" if _sure(row) is False else ""
            by_place.setdefault((row["case"], row["speed_asked_m_s"]), []).append(text)
    return [
        f"{case} against {result['baseline']} at {speed:g} m/s: {'; '.join(parts)} (Umberger 2010)."
        for (case, speed), parts in by_place.items()
    ]


def page(result: dict, images: dict[str, bytes]) -> str:
    """The page of what compare.json holds; ``images``: the figures as PNG, by the names of their files."""
    key = [row for figure in KEY_FIGURES for row in result["figures"] if row["figure"] == figure]
    by_group = {group: [row for row in result["figures"] if row["group"] == group] for group in GROUPS}
    return render(
        "compare",
        title=f"Comparison: {', '.join(case['case'] for case in result['cases'])}",
        made=head(list(dict.fromkeys(str(case["policy"]) for case in result["cases"])), result["model"]),
        about=_about(result),
        findings=findings(result),
        notes=result["notes"],
        key_figures=_tables(result, key),
        figures=[(title, images[name]) for name, title in _FIGURES.items() if name in images],
        groups=[(group.capitalize(), _tables(result, rows)) for group, rows in by_group.items() if rows],
        walked=_walked(result),
        method=_METHOD,
    )


def _about(result: dict) -> str:
    walkers = dict.fromkeys(f"{case['human']} with {case['device']}" for case in result["cases"])
    return (
        f"{', '.join(walkers)}; {result['model']} model; {len(result['seeds'])} episodes of {result['steps_asked']} "
        f"control steps per case and speed; differences are to {result['baseline']}"
    )


def _tables(result: dict, rows: Sequence[dict]) -> list[Table]:
    """A table per speed: a line per figure; per case mean and SD, below it the difference with its limits."""
    speeds = list(dict.fromkeys(row["speed_asked_m_s"] for row in rows))
    cases = [result["baseline"], *(c["case"] for c in result["cases"] if c["case"] != result["baseline"])]
    tables = []
    for speed in speeds:
        here = {(row["figure"], row["case"]): row for row in rows if row["speed_asked_m_s"] == speed}
        lines = []
        for figure in dict.fromkeys(figure for figure, _ in here):
            cells: list[str | Cell] = [label(figure)]
            for case in cases:
                row = here[figure, case]
                cells.append(_mean(row) if case == cases[0] else _difference(row))
            lines.append(cells)
        against = f"then the difference to {cases[0]} [95 %]"
        header = ["", cases[0], *(f"{case}, {against}" for case in cases[1:])]
        tables.append(Table(header, lines, f"{speed:g} m/s" if len(speeds) > 1 else "", one_line=True))
    return tables


def _walked(result: dict) -> Table:
    """Cases and speeds with episodes, falls and strides."""
    about = {case["case"]: case for case in result["cases"]}
    lines = []
    for part in result["walks"]:
        case = about[part["case"]]
        settings = ", ".join(f"{k} {v}" for k, v in case["controller"].items() if k != "type" and v not in (None, "*"))
        controller = case["controller"]["type"] + (f" ({settings})" if settings else "")
        counts = (str(part[count]) for count in ("episodes", "falls", "strides"))
        speed = f"{part['speed_asked_m_s']:g}"
        lines.append((part["case"], speed, *counts, str(case["policy"]), Cell(controller, "wrap")))
    header = ("case", "m/s", "episodes", "falls", "strides", "policy", "controller")
    return Table(header, lines, one_line=True)


def _mean(row: dict) -> str:
    return number(row["mean"]) + (f" ± {number(row['sd'])}" if row["sd"] is not None else "")


def _difference(row: dict) -> str | Cell:
    """Mean and SD, and below the difference in its unit and in percent, with limits; bold where they leave out zero."""
    if row.get("difference") is None:
        return _mean(row)
    percent = row["difference_percent"]
    text = _signed(row["difference"]) + (f" ({percent:+.1f} %)" if percent is not None else "")
    sure = _sure(row)
    if sure is not None:
        text += f" [{_signed(row['low'])}, {_signed(row['high'])}]"
    return Cell(text, "sure" if sure else "unsure", above=_mean(row))


def _sure(row: dict) -> bool | None:
    """Whether the limits of the difference leave out zero; None without limits."""
    if row.get("low") is None:
        return None
    return row["low"] * row["high"] > 0


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(float(value))
