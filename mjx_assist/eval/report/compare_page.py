"""A comparison as one self-contained HTML page, with its figures as PNG and SVG beside it."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.plots import compare
from mjx_assist.eval.plots.style import png, svg
from mjx_assist.eval.report.tables import NONE, label, number
from mjx_assist.eval.studies.compare import GROUPS, Walks
from mjx_assist.eval.studies.statistics import RESAMPLES
from mjx_assist.files.atomic import replacing

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
    "metabolic": "Metabolic cost",
    "kinematics": "Kinematics",
    "kinetics": "Kinetics",
    "activation": "Muscle activation",
}
_STYLE = """
body { margin: 0; background: #f1f3f4; color: #202124;
  font: 15px/1.45 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 26px 36px 40px; background: #fff; }
h1 { font-size: 25px; margin: 0; } h2 { font-size: 18px; margin: 34px 0 6px; }
h3 { font-size: 14px; margin: 18px 0 4px; } .soft { color: #5f6368; font-size: 12.5px; }
.notes { background: #fff4ec; border-left: 7px solid #d55e00; padding: 6px 16px; margin: 12px 0; }
.notes p { margin: 6px 0; } .found { font-size: 16px; margin: 4px 0; }
table { border-collapse: collapse; margin: 4px 0 14px; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: left; padding: 3px 18px 3px 0; border-bottom: 1px solid #e3e5e8; vertical-align: top; }
td { white-space: nowrap; } td.wrap { white-space: normal; }
th { font-weight: 600; color: #5f6368; } td.sure { font-weight: 700; } td.unsure { color: #80868b; }
img { max-width: 100%; height: auto; display: block; margin: auto; }
summary { cursor: pointer; font-weight: 600; margin: 8px 0; }
"""
_METHOD = (
    "Every case walked from the same seeds: the same phase of the gait to start from and the same commands. A figure "
    "is one number per stride (events and strides as in the gait report; an episode's first and last stride do not "
    "count); the mean is over all strides of all episodes, ± SD between strides. Intervals are 95 %, from a "
    f"studentised bootstrap of {RESAMPLES} resamples that draws whole episodes, because the strides of one episode "
    "are not independent of each other (Davison and Hinkley 1997; Cameron, Gelbach and Miller 2008); for a difference "
    "episodes of the same seed are drawn together, and seeds that one of the two did not walk are left out. Bold: the "
    "interval leaves out zero. Each interval is by itself: of twenty figures that do not differ, one is bold by "
    "chance. The intervals say how sure the simulation is, with this policy and this model; they do not hold the "
    "spread between people or between training runs."
)


def write_page(out: Path, result: dict, walks: Sequence[Walks]) -> Path:
    """Write figures and page into ``out``; ``result`` is what compare.json holds."""
    drawn = {
        "metabolic": compare.metabolic(walks, result["figures"], result["baseline"]),
        "kinematics": compare.kinematics(walks),
        "kinetics": compare.kinetics(walks),
        "activation": compare.activation(walks),
    }
    images = {}
    for name, figure in drawn.items():
        images[name] = png(figure, dpi=150)
        for suffix, content in ((".png", images[name]), (".svg", svg(figure))):
            with replacing(out / f"{name}{suffix}") as stream:
                stream.write(content)
    with replacing(out / PAGE) as stream:
        stream.write(_page(result, images).encode())
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


def _page(result: dict, images: dict[str, bytes]) -> str:
    cases = [case["case"] for case in result["cases"]]
    title = f"Comparison: {', '.join(cases)}"
    key = [row for figure in KEY_FIGURES for row in result["figures"] if row["figure"] == figure]
    body = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p class='soft'>{html.escape(_about(result))}</p>",
        *(f"<p class='found'>{html.escape(sentence)}</p>" for sentence in findings(result)),
        _notes(result["notes"]),
        "<h2>Key figures</h2>",
        *_tables(result, key),
        *(f"<h2>{text}</h2>{_image(images[name], text)}" for name, text in _FIGURES.items()),
        "<h2>All figures</h2>",
        *(_group(result, group) for group in GROUPS),
        "<h2>What walked</h2>",
        _walked(result),
        f"<h2>How it was compared</h2><p class='soft'>{html.escape(_METHOD)}</p>",
    ]
    head = f"<meta charset='utf-8'><title>{html.escape(title)}</title><style>{_STYLE}</style>"
    content = "\n".join(part for part in body if part)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body><main>\n{content}\n</main></body></html>\n"


def _about(result: dict) -> str:
    walkers = dict.fromkeys(f"{case['human']} with {case['device']}" for case in result["cases"])
    return (
        f"{', '.join(walkers)}; {result['model']} model; {len(result['seeds'])} episodes of {result['steps_asked']} "
        f"control steps per case and speed; differences are to {result['baseline']}"
    )


def _tables(result: dict, rows: Sequence[dict]) -> list[str]:
    """A table per speed: a line per figure; per case mean and SD, then the difference with its limits."""
    speeds = list(dict.fromkeys(row["speed_asked_m_s"] for row in rows))
    cases = [result["baseline"], *(c["case"] for c in result["cases"] if c["case"] != result["baseline"])]
    tables = []
    for speed in speeds:
        here = {(row["figure"], row["case"]): row for row in rows if row["speed_asked_m_s"] == speed}
        head = ["", cases[0], *(cell for case in cases[1:] for cell in (case, "difference [95 %]"))]
        lines = []
        for figure in dict.fromkeys(figure for figure, _ in here):
            cells = [f"<td>{html.escape(label(figure))}</td>"]
            for case in cases:
                row = here[figure, case]
                cells.append(f"<td>{_mean(row)}</td>")
                cells += [_difference(row)] if case != cases[0] else []
            lines.append(f"<tr>{''.join(cells)}</tr>")
        header = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
        title = f"<h3>{speed:g} m/s</h3>" if len(speeds) > 1 else ""
        tables.append(f"{title}<table><thead><tr>{header}</tr></thead><tbody>{''.join(lines)}</tbody></table>")
    return tables


def _group(result: dict, group: str) -> str:
    rows = [row for row in result["figures"] if row["group"] == group]
    inner = "".join(_tables(result, rows)) if rows else ""
    return f"<details><summary>{group.capitalize()}</summary>{inner}</details>" if rows else ""


def _walked(result: dict) -> str:
    """Cases and speeds with episodes, falls and strides."""
    head = "".join(
        f"<th>{cell}</th>" for cell in ("case", "m/s", "episodes", "falls", "strides", "policy", "controller")
    )
    about = {case["case"]: case for case in result["cases"]}
    lines = []
    for part in result["walks"]:
        case = about[part["case"]]
        settings = ", ".join(f"{k} {v}" for k, v in case["controller"].items() if k != "type" and v not in (None, "*"))
        controller = case["controller"]["type"] + (f" ({settings})" if settings else "")
        cells = (part["case"], f"{part['speed_asked_m_s']:g}", part["episodes"], part["falls"], part["strides"])
        text = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in (*cells, case["policy"]))
        lines.append(f"<tr>{text}<td class='wrap'>{html.escape(controller)}</td></tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _mean(row: dict) -> str:
    return number(row["mean"]) + (f" ± {number(row['sd'])}" if row["sd"] is not None else "")


def _difference(row: dict) -> str:
    """The difference in its own unit and in percent, with limits; bold where they leave out zero."""
    if row.get("difference") is None:
        return f"<td>{NONE}</td>"
    percent = row["difference_percent"]
    text = _signed(row["difference"]) + (f" ({percent:+.1f} %)" if percent is not None else "")
    sure = _sure(row)
    if sure is not None:
        text += f" [{_signed(row['low'])}, {_signed(row['high'])}]"
    return f"<td class='{'sure' if sure else 'unsure'}'>{text}</td>"


def _sure(row: dict) -> bool | None:
    """Whether the limits of the difference leave out zero; None without limits."""
    if row.get("low") is None:
        return None
    return row["low"] * row["high"] > 0


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(float(value))


def _notes(notes: Sequence[str]) -> str:
    return f"<div class='notes'>{''.join(f'<p>{html.escape(note)}</p>' for note in notes)}</div>" if notes else ""


def _image(image: bytes, text: str) -> str:
    return f"<img alt='{text}' src='data:image/png;base64,{base64.b64encode(image).decode()}'>"
