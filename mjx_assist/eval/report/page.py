"""The gait report's HTML: verdict first, then pictures, figures, tables, and what was run. One file, no links.

It lays out what it is given; nothing is measured or judged here."""

from collections.abc import Sequence

from mjx_assist.eval.report import tables
from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Panels, Table, render
from mjx_assist.eval.report.verdict.rules import FAIR, GOOD, POOR, UNKNOWN
from mjx_assist.eval.report.verdict.verdict import Finding

_MARKS = {GOOD: ("✓", "healthy or as asked"), FAIR: ("!", "nearly"), POOR: ("✕", "not"), UNKNOWN: ("?", "not known")}
_CAPTION = (
    "Mean over the strides of all episodes, shaded one SD; 0 % is initial contact, each leg on its own cycle. Grey: "
    "healthy walking at the speed asked, mean ± SD (Schwartz et al. 2008). Flexion, dorsiflexion and forward tilt "
    "point up; so do extending and plantarflexing moments. Net moments are what inverse dynamics finds: of muscles, "
    "device, passive structures and joint limits. r and RMSE: against the policy's own reference, instant by instant, "
    "after the first 2 s. Grey bars over muscles: when the EMG of healthy people is on (Perry 1992)."
)
_METHOD = (
    "A foot is in contact from the sample its load reaches 2 % of body weight, if it gets past 5 %; unloadings and "
    "contacts shorter than 0.1 s are bounces and scuffs and do not count. Each episode's first and last stride of each "
    "foot are left out. Step length is the distance between the heels' places at successive contacts. Ground reaction: "
    "zero-lag 4th-order Butterworth at 20 Hz (99 % of the power of walking lies below 15 Hz: Antonsson and Mann 1985); "
    "unfiltered peaks also hold the ringing of the impact. Symmetry index: 100 (R − L) / (0.5 (R + L)), Robinson, "
    "Herzog and Nigg 1987. Healthy bands: Schwartz, Rozumalski and Trost 2008, typically developing people at the "
    "same dimensionless speed; 1 SD holds two thirds of them. N·m/kg, W/kg and J/kg are per mass of the person without "
    "the device, BW is the weight of both."
)


def page(
    title: str,
    metrics: dict,
    verdict: tuple[str, Sequence[Finding]],
    figures: Sequence[Panels],
    legend: bytes,
    pictures: Sequence[tuple[str, bytes]],
    headline: Sequence[tuple[str, str, str]],
) -> str:
    """The page. ``verdict``: the sentence on top and the findings; ``legend``: of the figures, an image; ``pictures``:
    (text, PNG)."""
    (sentence, findings), info = verdict, metrics.get("info") or {}
    return render(
        "report",
        title=title,
        made=_made(metrics),
        about=_about(metrics),
        worst=_worst(findings),
        sentence=sentence,
        notes=metrics["notes"],
        findings=findings,
        marks=_MARKS,
        pictures=pictures,
        headline=Table(("", "measured", "asked or healthy"), headline),
        figures=figures,
        legend=legend,
        curves=_CAPTION,
        sections=[
            *tables.sections(metrics),
            *tables.mapping("Training, at its end", metrics.get("training")),
            *tables.mapping("What was run", {key: value for key, value in info.items() if key != "config"}),
        ],
        config=info.get("config"),
        method=_METHOD,
    )


def _made(metrics: dict) -> str:
    info = metrics.get("info") or {}
    source = str(info.get("source") or metrics["controller"])
    return head([source], metrics["model_kind"], str(info.get("training backend") or ""))


def _about(metrics: dict) -> str:
    """Who walked, on what model, how long."""
    episodes, strides = metrics["episodes"], metrics["both"]["strides"]
    return (
        f"{metrics['human']}, device {metrics['device_name']}, {metrics['model_kind']} model, "
        f"{episodes} episode{'' if episodes == 1 else 's'}, {strides} stride{'' if strides == 1 else 's'}"
        f"{_sides(metrics.get('one_sided') or {})}"
    )


def _sides(one_sided: dict) -> str:
    """Which leg is which, of a body with a prosthesis."""
    if not one_sided:
        return ""
    level = f" ({one_sided['level']})" if one_sided["level"] else ""
    return f"; {one_sided['prosthetic_side']}: prosthetic side{level}, {one_sided['sound_side']}: sound side"


def _worst(findings: Sequence[Finding]) -> str:
    marks = {finding.mark for finding in findings}
    return next(mark for mark in (POOR, FAIR, UNKNOWN, GOOD) if mark in marks)
