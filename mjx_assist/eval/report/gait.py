"""The gait report from gait records: report.html, composite.png and .svg, metrics.json, strides.csv, curves.csv, a PDF.

It measures, judges, draws and lays out by calling those who do; here is only the order, and the files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.errors import UserError
from mjx_assist.eval.gait import events, stride_curves
from mjx_assist.eval.gait.angles import JOINT_TITLES, SAGITTAL
from mjx_assist.eval.gait.metabolics import MODELS
from mjx_assist.eval.gait.summary import stride_rows, summarize
from mjx_assist.eval.plots import composite, sheet
from mjx_assist.eval.plots.style import DPI, MODEL_TITLES, image, outlined_svg, png, png_of, save
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.eval.report import paper
from mjx_assist.eval.report.html import Panels
from mjx_assist.eval.report.page import page
from mjx_assist.eval.report.pdf import write_pdf
from mjx_assist.eval.report.run_info import run_info
from mjx_assist.eval.report.verdict import facts as verdict_facts
from mjx_assist.eval.report.verdict import verdict
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import json_text, plain
from mjx_assist.files.tables import csv_text
from mjx_assist.reference import healthy as reference
from mjx_assist.reference.published import healthy_band

PAGE, PDF, COMPOSITE, VECTOR = "report.html", "report.pdf", "composite.png", "composite.svg"
METRICS, STRIDES, CURVES = "metrics.json", "strides.csv", "curves.csv"
NONE = "not available"
_COST_J_PER_KG_M = 3.3  # healthy walking at 1.25 m/s, gross: Ralston 1958, Int Z angew Physiol 17:277
_COMPARED = ("episodes", "falls", "time_s", "speed_m_s", "metabolic")  # what is told of the walk with zero torque
_PNG = b"\x89PNG\r\n\x1a\n"


def write_report(
    directory: str | Path,
    records: Sequence[GaitRecord],
    learning_curve: list[dict] | None = None,
    title: str | None = None,
    info: dict | None = None,
    reference_band: composite.Band | None = None,
    pictures: Sequence[tuple[str, str | Path]] = (),
    baseline: Sequence[GaitRecord] = (),
    full_model: dict | None = None,
    pdf: bool = False,
    formats: Sequence[str] = (),
    labels: Sequence[str] = SIDES,
) -> dict:
    """Write the report's files into ``directory``; returns what metrics.json holds.

    ``learning_curve``: rows with control_steps, wall_s, reward, episode_length, steps_per_s, or None; ``title``: by
    default who walks with what; ``info``: what was run, shown as a table at the foot, by default what records tell;
    ``reference_band``: (quantity, speed m/s) -> percent, mean, sd, the shipped healthy gait by default; ``pictures``:
    (caption, PNG file); ``baseline``: the same walker with zero torque; ``full_model``: ``episode_summary`` on the
    unreduced model; ``formats``: of `paper.FORMATS`, figures for papers too; ``labels``: of right and left leg in the
    figures. Each file appears whole or not at all.

    Raises:
        UserError: no records, an unreadable picture, a directory that cannot be written, or ``pdf`` where nothing
            here can make one (the page is written all the same).
    """
    if not records:
        raise UserError("report: there is no episode to report on.")
    title = title or f"Gait of {records[0].human} with {records[0].device}"
    info = run_info(records, "gait records") if info is None else info
    images = [(caption, _read_png(path)) for caption, path in pictures]
    band, directory = _where_known(reference_band or healthy_band), Path(directory)
    records, notes = _usable(records)
    metrics = summarize(records)
    metrics["notes"] = notes + metrics["notes"]
    records = [record.finite_part() for record in records]
    bare = summarize(baseline) if baseline else None
    if bare and bare["falls"] > metrics["falls"]:
        metrics["notes"].append(_falls_without(bare))
    comparable = bare if bare and bare["falls"] <= metrics["falls"] else None
    facts = verdict_facts.facts(metrics, band, comparable, full_model)
    findings = verdict.judge(facts)
    sentence = verdict.overall(findings)
    metrics = {
        "title": title,
        "verdict": {"overall": sentence, **{found.rule.key: found.mark for found in findings}},
        **metrics,
        **({ZERO_TORQUE: {key: bare[key] for key in _COMPARED if key in bare}} if bare else {}),
        "verdict_facts": plain(facts),
        "info": plain(dict(info)),
        "training": _training(learning_curve),
        "curves": stride_curves.summary(records, band, metrics["speed_asked_m_s"]),
    }
    write_text(directory / METRICS, json_text(metrics, default=str))
    write_text(directory / STRIDES, strides_csv(records))
    write_text(directory / CURVES, csv_text(stride_curves.rows(metrics["curves"], records[0]), stride_curves.COLUMNS))
    gait = composite.Gait(records, metrics, band, learning_curve or (), labels)
    laid_out = partial(page, title, metrics, (sentence, findings), pictures=images, headline=headline(metrics, band))
    figures = _composite(gait, directory / Path(COMPOSITE).stem)
    write_text(directory / PAGE, laid_out(figures, png(sheet.legend(gait), DPI)))
    if formats:
        paper.write(directory, sheet.figures(gait), formats, sheet.panels(gait))
    if pdf:
        rows = {title: [(title, 1.0, outlined_svg(row)) for row in rows] for title, rows in sheet.rows(gait).items()}
        vectors = [Panels(title, images) for title, images in rows.items()]
        write_pdf(laid_out(vectors, outlined_svg(sheet.legend(gait))), directory / PDF, directory / PAGE)
    return metrics


def _composite(gait: composite.Gait, path: Path) -> list[Panels]:
    """Write the composite; its panels as the page shows them."""
    figure, places = sheet.composite(gait)
    picture = image(figure, DPI)
    save(figure, path, DPI, png_of(picture, DPI))
    shown = []
    for part in composite.sections(gait):
        parts = sheet.cut(picture, places[part.title], DPI)
        titles = [place.title for place in places[part.title]]
        images = [(t, i.width / picture.width, png_of(i, DPI)) for t, i in zip(titles, parts, strict=True)]
        shown.append(Panels(part.title, images, small=part.grid))
    return shown


def _where_known(band: composite.Band) -> composite.Band:
    """The band, NaN at a speed that is not known (None)."""

    nothing = np.full(101, np.nan)

    def at(quantity: str, speed: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return (np.linspace(0, 100, 101), nothing, nothing) if speed is None else band(quantity, speed)

    return at


def strides_csv(records: Sequence[GaitRecord]) -> str:
    """One row per stride: episode, seed, side, its time and figures; units are in the column names."""
    rows = []
    for episode, record in enumerate(records):
        for stride, figures in zip(events.strides(record), stride_rows(record), strict=True):
            start = {"start_s": record.time[stride.start], "end_s": record.time[stride.end]}
            rows.append({"episode": episode, "seed": record.seed, "controller": record.controller, **figures, **start})
    names = list(rows[0]) if rows else ["episode", "seed", "controller", "side"]
    return csv_text(({name: _cell(value) for name, value in row.items()} for row in rows), names)


def headline(metrics: dict, band: composite.Band | None = None) -> list[tuple[str, str, str]]:
    """The key figures: (what, measured, asked or healthy), for the page and for a terminal."""
    band = _where_known(band or healthy_band)
    both, requested = metrics["both"], metrics["speed_asked_m_s"]
    known = requested is not None
    cadence = np.sqrt(60 * requested / reference.WALK_RATIO) if known else np.nan
    _, mean, sd = (np.asarray(part, float) for part in band("grf_vertical", requested))
    peak = mean.argmax()
    length = 2 * reference.WALK_RATIO * cadence
    healthy_peak = f"healthy {mean[peak]:.2f} ± {sd[peak]:.2f} at this speed" if known else ""
    symmetric = ("stance_percent", "step_length_m", "grf_peak_bw")
    adults = "at 1.2 to 1.65 m/s"
    return [
        ("Walks", _walks(metrics), "no fall"),
        ("Speed (m/s)", _number(metrics["speed_m_s"], ".2f"), f"asked {requested:.2f}" if known else ""),
        (
            "Cadence (steps/min)",
            _number(both["cadence_steps_per_min"], ".0f"),
            f"healthy about {cadence:.0f}" if known else "",
        ),
        ("Stride length (m)", _number(both["stride_length_m"], ".2f"), f"healthy about {length:.2f}" if known else ""),
        ("Stance (% of cycle)", _number(both["stance_percent"], ".1f"), f"healthy 60 to 62 {adults}"),
        ("Double support (%)", _number(both["double_support_percent"], ".1f"), f"healthy 20 to 24 {adults}"),
        (
            "Peak vertical ground reaction (BW): 20 Hz, unfiltered",
            _slashed(both, ".2f", ("grf_peak_bw", "grf_peak_unfiltered_bw")),
            healthy_peak,
        ),
        (
            f"Correlation with the reference: {', '.join(angle.title.lower() for angle in SAGITTAL.values())}",
            _slashed(both["corr_reference"], ".2f"),
            "1",
        ),
        ("RMSE to the reference (deg), the same", _slashed(both["rmse_deg"], ".1f"), "0"),
        (
            "Left-right symmetry index (%): stance, step length, peak force",
            _slashed(metrics["symmetry"]["index_percent"], "+.1f", symmetric),
            "" if metrics.get("one_sided") else "0",
        ),
        *_energy_rows(metrics.get("metabolic") or {}),
        *(row for joint, device in metrics["device"].items() for row in _device_rows(joint, device["both"])),
    ]


def _device_rows(joint: str, figures: dict) -> list[tuple[str, str, str]]:
    name = JOINT_TITLES.get(joint, joint)
    work = _slashed(figures, ".3f", ("push_off_positive_work_j_per_kg", "negative_work_j_per_kg"))
    return [
        (f"Device peak torque, {name} (N·m)", _number(figures["torque_peak_nm"], ".1f"), ""),
        (f"Device work, {name} (J/kg per stride): in push-off, negative", work, "assists when their sum is positive"),
        (f"Device torque in swing / peak, {name}", _number(figures["swing_torque_fraction"], ".2f"), "0"),
    ]


def _energy_rows(metabolic: dict[str, dict]) -> list[tuple[str, str, str]]:
    """Cost of transport by each metabolic model."""
    costs = {name: metabolic[name].get("cost_of_transport_j_per_kg_m") for name in MODELS if name in metabolic}
    if not costs:
        return []
    names = ", ".join(MODEL_TITLES.get(name, name) for name in costs)
    healthy = f"healthy about {_COST_J_PER_KG_M}"
    return [(f"Metabolic cost of transport (J/(kg·m)): {names}", _slashed(costs, ".1f", tuple(costs)), healthy)]


def _walks(metrics: dict) -> str:
    """ "yes" with how long, or how many episodes fell and when."""
    episodes, falls = metrics["episodes"], metrics["falls"]
    if not falls:
        return f"yes: {episodes} of {episodes} episodes without a fall, {metrics['time_s']:.1f} s each"
    first = min(episode["time_s"] for episode in metrics["per_episode"] if episode["fell"])
    return f"no: fell in {falls} of {episodes} episodes, the first time after {first:.1f} s"


def _falls_without(bare: dict) -> str:
    """A note on a walker that needs its device."""
    first = min(episode["time_s"] for episode in bare["per_episode"] if episode["fell"])
    falls = f"falls in {bare['falls']} of {bare['episodes']} episodes, the first time after {first:.1f} s"
    return f"With the device at zero torque the same walker {falls}: metabolic cost is not compared with that."


def _usable(records: Sequence[GaitRecord]) -> tuple[list[GaitRecord], list[str]]:
    """The records that hold anything finite, and notes on the others; UserError when there is none."""
    usable, notes = [], []
    for record in records:
        try:
            record.finite_part()
            usable.append(record)
        except UserError as error:
            if len(records) == 1:
                raise
            notes.append(f"Left out: {error}")
    if not usable:
        raise UserError("report: no gait record has a finite first sample.")
    return usable, notes


def _training(learning_curve: list[dict] | None) -> dict | None:
    """The learning curve's last row in the words of metrics.json."""
    if not learning_curve:
        return None
    keys = ("control_steps", "wall_s", "reward", "episode_length", "steps_per_s")
    return plain({key: learning_curve[-1].get(key) for key in keys})


def _cell(value) -> str:
    """A figure as CSV text, empty where there is none."""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return str(value)


def _number(value: float | None, form: str) -> str:
    return NONE if value is None else format(value, form)


def _slashed(values: dict, form: str, keys: Sequence[str] = tuple(SAGITTAL)) -> str:
    known = any(values[key] is not None for key in keys)
    return " / ".join(_number(values[key], form) for key in keys) if known else NONE


def _read_png(path: str | Path) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"picture {path}: cannot be read ({error.strerror or error}).") from error
    if not content.startswith(_PNG):
        raise UserError(f"picture {path}: it is not a PNG file.")
    return content
