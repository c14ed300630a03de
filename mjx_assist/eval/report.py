"""The gait report: one self-contained HTML page, composite.png and metrics.json, from gait records.

It lays out what metrics and plots give; nothing is measured here."""

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval import plots
from mjx_assist.eval.metrics import plain, summarize
from mjx_assist.eval.record import SIDES, GaitRecord, replacing
from mjx_assist.sim import reference

PAGE, COMPOSITE, METRICS = "report.html", "composite.png", "metrics.json"
NONE = "not available"
_PNG = b"\x89PNG\r\n\x1a\n"
_ANGLE_TITLES = {"hip": "hip", "knee": "knee", "ankle": "ankle", "pelvis_tilt": "pelvis tilt"}
# Rows of the per-leg table: key of metrics[leg], title, number format.
_LEG_ROWS = (
    ("speed_m_s", "Speed over strides (m/s)", ".2f"),
    ("cadence_steps_per_min", "Cadence (steps/min)", ".1f"),
    ("stride_time_s", "Stride time (s)", ".3f"),
    ("stride_length_m", "Stride length (m)", ".3f"),
    ("step_time_s", "Step time (s)", ".3f"),
    ("step_length_m", "Step length (m)", ".3f"),
    ("stance_percent", "Stance (% of cycle)", ".1f"),
    ("double_support_percent", "Double support (% of cycle)", ".1f"),
    ("grf_peak_bw", "Vertical ground reaction, stride's peak, 20 Hz (BW)", ".2f"),
    ("grf_loading_peak_bw", "— in the first half of stance (BW)", ".2f"),
    ("grf_push_off_peak_bw", "— in the second half of stance (BW)", ".2f"),
    ("grf_peak_unfiltered_bw", "— stride's peak, unfiltered (BW)", ".2f"),
    ("grf_loading_rate_bw_per_s", "Steepest loading, 20 Hz (BW/s)", ".1f"),
    ("foot_lift_m", "Heel lift (m)", ".3f"),
    *((f"{name}_range_deg", f"Range of motion, {title} (deg)", ".1f") for name, title in _ANGLE_TITLES.items()),
)
_DEVICE_ROWS = (
    ("torque_peak_nm", "Peak torque, mean over strides (N·m)", ".1f"),
    ("torque_peak_nm_per_kg", "Peak torque (N·m/kg)", ".3f"),
    ("torque_max_nm", "Largest torque of all (N·m)", ".1f"),
    ("torque_peak_timing_percent", "Peak at (% of cycle)", ".0f"),
    ("positive_work_j_per_kg", "Positive work per stride (J/kg)", ".4f"),
    ("push_off_positive_work_j_per_kg", "— of it in push-off, 40 to 65 % (J/kg)", ".4f"),
    ("negative_work_j_per_kg", "Negative work per stride (J/kg)", ".4f"),
    ("swing_torque_fraction", "Torque in swing / peak", ".3f"),
)
_STYLE = """
:root { --ink: #202124; --soft: #5f6368; --line: #e3e5e8; }
body { margin: 0; background: #f6f7f8; color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1400px; margin: 0 auto; padding: 28px 32px 48px; background: #fff; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 18px; margin: 36px 0 8px; }
p.sub, figcaption, p.small { color: var(--soft); font-size: 13px; margin: 4px 0 16px; }
figure { margin: 16px 0; } img { max-width: 100%; height: auto; display: block; }
table { border-collapse: collapse; margin: 8px 0 16px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 22px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: 13px; } td:first-child { color: var(--ink); }
table.headline td:nth-child(2) { font-weight: 600; }
.notes { background: #fff4ec; border-left: 4px solid #d55e00; padding: 8px 16px; margin: 16px 0; }
.notes p { margin: 4px 0; } .columns { display: flex; flex-wrap: wrap; gap: 0 56px; }
"""
_CAPTION = (
    "Mean over strides of all episodes, shaded one SD; 0 % is initial contact, each leg on its own cycle. "
    "Grey: healthy walking at the speed asked. Angles: flexion, dorsiflexion and forward tilt point up; moments and "
    "device torque: extension and plantarflexion point up. Ground reaction: zero-lag 4th-order Butterworth, 20 Hz. "
    "r and RMSE: against the policy's own reference, instant by instant, after the first 2 s."
)
_METHOD = (
    "A foot is in contact from the sample its load reaches 2 % of body weight, if it gets past 5 %; unloadings and "
    "contacts shorter than 0.1 s are bounces and scuffs and do not count. Each episode's first and last stride of each "
    "foot are left out. Step length is the distance between the heels' places at successive contacts. Symmetry index: "
    "100 (R − L) / (0.5 (R + L)), Robinson, Herzog and Nigg 1987. The filtered ground reaction peak is what gait "
    "laboratories report (99 % of the power of walking lies below 15 Hz: Antonsson and Mann 1985); the unfiltered one "
    "also holds the impact's ringing."
)


def write_report(
    directory: str | Path,
    records: Sequence[GaitRecord],
    learning_curve: list[dict] | None,
    title: str,
    info: dict,
    reference_band: plots.Band | None = None,
    pictures: Sequence[tuple[str, str | Path]] = (),
) -> dict:
    """Write report.html, composite.png and metrics.json into ``directory``; returns what metrics.json holds.

    ``learning_curve``: rows with control_steps, wall_s, reward, episode_length, steps_per_s, or None; ``info``: what to
    tell beside the measurements, shown as a table; ``reference_band``: (quantity, speed m/s) -> percent, mean, sd, the
    shipped healthy gait by default; ``pictures``: (caption, PNG file). Each file appears whole or not at all.

    Raises:
        UserError: no records, an unreadable picture, or a directory that cannot be written.
    """
    if not records:
        raise UserError("report: there is no episode to report on.")
    images = [(caption, _read_png(path)) for caption, path in pictures]
    records = [record.finite_part() for record in records]
    band = reference_band or reference.healthy_band
    metrics = {"title": title, **summarize(records), "info": plain(dict(info)), "training": _training(learning_curve)}
    _write(Path(directory) / METRICS, (json.dumps(metrics, indent=1, default=str, allow_nan=False) + "\n").encode())
    figure = plots.png(plots.composite(records, metrics, learning_curve, band))
    _write(Path(directory) / COMPOSITE, figure)
    _write(Path(directory) / PAGE, _page(title, metrics, figure, images, band).encode())
    return metrics


def headline(metrics: dict, band: plots.Band | None = None) -> list[tuple[str, str, str]]:
    """The summary table: (what, measured, asked or healthy), for the page's top and for a terminal."""
    band = band or reference.healthy_band
    both, asked = metrics["both"], metrics["speed_asked_m_s"]
    cadence = np.sqrt(60 * asked / reference.WALK_RATIO)
    _, mean, sd = (np.asarray(part, float) for part in band("grf_vertical", asked))
    peak = mean.argmax()
    rows = [
        ("Walks", _walks(metrics), "no fall"),
        ("Speed (m/s)", _number(metrics["speed_m_s"], ".2f"), f"asked {asked:.2f}"),
        ("Cadence (steps/min)", _number(both["cadence_steps_per_min"], ".0f"), f"healthy about {cadence:.0f}"),
        (
            "Stride length (m)",
            _number(both["stride_length_m"], ".2f"),
            f"healthy about {2 * reference.WALK_RATIO * cadence:.2f}",
        ),
        ("Stance (% of cycle)", _number(both["stance_percent"], ".1f"), "healthy 60 to 62 at 1.2 to 1.65 m/s"),
        ("Double support (%)", _number(both["double_support_percent"], ".1f"), "healthy 20 to 24 at 1.2 to 1.65 m/s"),
        (
            "Peak vertical ground reaction (BW): 20 Hz, unfiltered",
            _slashed(both, ".2f", ("grf_peak_bw", "grf_peak_unfiltered_bw")),
            f"healthy {mean[peak]:.2f} ± {sd[peak]:.2f} at this speed",
        ),
        (
            f"Correlation with the reference: {', '.join(_ANGLE_TITLES.values())}",
            _slashed(both["corr_reference"], ".2f"),
            "1",
        ),
        ("RMSE to the reference (deg), the same", _slashed(both["rmse_deg"], ".1f"), "0"),
        (
            "Left-right symmetry index (%): stance, step length, peak force",
            _slashed(metrics["symmetry"]["index_percent"], "+.1f", ("stance_percent", "step_length_m", "grf_peak_bw")),
            "0",
        ),
    ]
    for joint, device in metrics["device"].items():
        figures, name = device["both"], plots.JOINT_TITLES.get(joint, joint)
        rows += [
            (f"Device peak torque, {name} (N·m)", _number(figures["torque_peak_nm"], ".1f"), ""),
            (
                f"Device work in push-off, {name} (J/kg per stride)",
                _number(figures["push_off_positive_work_j_per_kg"], ".3f"),
                "assists when positive",
            ),
            (f"Device torque in swing / peak, {name}", _number(figures["swing_torque_fraction"], ".2f"), "0"),
        ]
    return rows


def _walks(metrics: dict) -> str:
    """ "yes" with how long, or how many episodes fell and when."""
    episodes, falls = metrics["episodes"], metrics["falls"]
    if not falls:
        return f"yes: {episodes} of {episodes} episodes without a fall, {metrics['time_s']:.1f} s each"
    first = min(episode["time_s"] for episode in metrics["per_episode"] if episode["fell"])
    return f"no: fell in {falls} of {episodes} episodes, the first time after {first:.1f} s"


def _training(learning_curve: list[dict] | None) -> dict | None:
    """The learning curve's last row in the words of metrics.json."""
    if not learning_curve:
        return None
    keys = ("control_steps", "wall_s", "reward", "episode_length", "steps_per_s")
    return plain({key: learning_curve[-1].get(key) for key in keys})


def _page(title: str, metrics: dict, figure: bytes, images: list[tuple[str, bytes]], band: plots.Band) -> str:
    """The page's HTML with everything inside it."""
    about = f"{metrics['human']}, device {metrics['device_name']}, {metrics['model_kind']} model, "
    about += (
        f"{metrics['episodes']} episode{'s' if metrics['episodes'] > 1 else ''}, {metrics['both']['strides']} strides"
    )
    device = [
        f"<h2>Device: {html.escape(plots.JOINT_TITLES.get(joint, joint))}</h2>"
        + _leg_table({leg: part[leg] for leg in (*SIDES, "both")}, _DEVICE_ROWS)
        for joint, part in metrics["device"].items()
    ]
    body = [
        f"<h1>{html.escape(title)}</h1><p class='sub'>{html.escape(about)}</p>",
        _notes(metrics["notes"]),
        _table(("", "measured", "asked or healthy"), headline(metrics, band), "headline"),
        *(_figure(image, caption) for caption, image in images),
        _figure(figure, _CAPTION),
        "<div class='columns'><div><h2>Gait, mean ± SD over strides</h2>",
        _leg_table({leg: metrics[leg] for leg in (*SIDES, "both")}, _LEG_ROWS),
        "</div><div><h2>Tracking of the reference</h2>",
        _tracking_table(metrics),
        *device,
        "</div><div><h2>Mean activation</h2>",
        _activation_table(metrics),
        "</div></div><h2>Episodes</h2>",
        _episode_table(metrics),
        _mapping_table("Training, at its end", metrics["training"]),
        _mapping_table("About this run", metrics["info"]),
        f"<h2>How it was measured</h2><p class='small'>{html.escape(_METHOD)}</p>",
    ]
    head = f"<meta charset='utf-8'><title>{html.escape(title)}</title><style>{_STYLE}</style>"
    content = "\n".join(body)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body><main>\n{content}\n</main></body></html>\n"


def _leg_table(legs: dict[str, dict], rows: Sequence[tuple[str, str, str]]) -> str:
    """Right, left, both; with the SD where there is one."""

    def cell(leg: dict, key: str, form: str) -> str:
        sd = leg.get("sd", {}).get(key)
        return _number(leg[key], form) + (f" ± {sd:{form}}" if sd is not None else "")

    lines = [(text, *(cell(leg, key, form) for leg in legs.values())) for key, text, form in rows]
    return _table(("", *legs), lines)


def _tracking_table(metrics: dict) -> str:
    def row(name: str, figure: str, text: str, form: str) -> tuple[str, ...]:
        cells = (_number(metrics[leg][figure][name], form) for leg in (*SIDES, "both"))
        return f"{_ANGLE_TITLES[name].capitalize()}, {text}", *cells

    figures = (("corr_reference", "correlation", ".3f"), ("rmse_deg", "RMSE (deg)", ".1f"))
    return _table(("", *SIDES, "both"), [row(name, *figure) for figure in figures for name in _ANGLE_TITLES])


def _activation_table(metrics: dict) -> str:
    def row(muscle: str) -> tuple[str, ...]:
        means = (_number(metrics[leg]["activation_mean"][muscle], ".3f") for leg in (*SIDES, "both"))
        return plots.MUSCLE_TITLES.get(muscle, muscle), *means

    return _table(("", *SIDES, "both"), [row(muscle) for muscle in metrics["both"]["activation_mean"]])


def _episode_table(metrics: dict) -> str:
    header = ("seed", "time (s)", "distance (m)", "speed (m/s)", "fell")
    header += tuple(f"r {name}" for name in _ANGLE_TITLES.values())
    rows = [
        (
            str(episode["seed"]),
            *(_number(episode[key], ".2f") for key in ("time_s", "distance_m", "mean_speed_m_s")),
            "yes" if episode["fell"] else "no",
            *(_number(episode["corr_reference"][name], ".2f") for name in _ANGLE_TITLES),
        )
        for episode in metrics["per_episode"]
    ]
    return _table(header, rows)


def _mapping_table(title: str, mapping: dict | None) -> str:
    if not mapping:
        return ""
    rows = [(str(key), f"{value:,.4g}" if isinstance(value, float) else str(value)) for key, value in mapping.items()]
    return f"<h2>{html.escape(title)}</h2>" + _table(("", ""), rows)


def _notes(notes: list[str]) -> str:
    return f"<div class='notes'>{''.join(f'<p>{html.escape(note)}</p>' for note in notes)}</div>" if notes else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    lines = ("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table class='{kind}'><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody></table>"


def _figure(image: bytes, caption: str) -> str:
    data, text = base64.b64encode(image).decode(), html.escape(caption)
    return f"<figure><img alt='{text}' src='data:image/png;base64,{data}'><figcaption>{text}</figcaption></figure>"


def _number(value: float | None, form: str) -> str:
    return NONE if value is None else format(value, form)


def _slashed(values: dict, form: str, keys: Sequence[str] = tuple(_ANGLE_TITLES)) -> str:
    known = any(values[key] is not None for key in keys)
    return " / ".join(_number(values[key], form) for key in keys) if known else NONE


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as stream:
        stream.write(content)


def _read_png(path: str | Path) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"picture {path}: cannot be read ({error.strerror or error}).") from error
    if not content.startswith(_PNG):
        raise UserError(f"picture {path}: it is not a PNG file.")
    return content
