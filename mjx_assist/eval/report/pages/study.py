"""A study's folder: study.json and one self-contained HTML page, with its figures as PNG and SVG beside it."""

from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.plots import study as plots
from mjx_assist.eval.plots.style import save
from mjx_assist.eval.report import paper
from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Cell, Section, Table, render
from mjx_assist.eval.report.tables import NONE, label, number
from mjx_assist.eval.studies.conclusions import COST, KEY_MODEL, POWER, sure
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json

JSON, PAGE = "study.json", "study.html"
NOT_KNOWN = "not known"
_METHOD = (
    "Every training counts once. Its policy walks all speeds from the same seeds; walks that fell do not count. Its "
    "muscle power is regressed over the speeds that it reached (least squares; a parabola where they spread by 0.15 "
    "m/s or more, a line by 0.05 m/s, else their mean) and read off at the speed that is compared; nothing is "
    "extrapolated. Cost of transport is the muscles' power at that speed with the resting rate, over the speed. W/kg "
    "and J/(kg·m) are per kg of the person without the device. Intervals are 95 %, over trainings, from the t "
    "distribution: of a side's mean with n − 1 degrees of freedom; of a difference by Welch (1947), as of trainings "
    "independent of each other, with spreads not supposed equal; in percent by Fieller (1954), both means uncertain. "
    "Paired: over the seeds that both sides have. Bold: the interval leaves out zero. Each interval is by itself: of "
    "twenty figures that do not differ, one is bold by chance. They hold the spread between trainings of one model of"
    " a person, not that between people. Device: peaks over all walks to the end; the torque limit is the model's "
    "own, at the joint's angle of the instant; limits of power and rate are those of models/motors.json, and what no "
    "data gives is not known. Device gone off: after 5 s of a walk at that speed the device gives no torque for 10 s;"
    " of the walks that were up then, those that fell. The median training has as many cheaper as dearer ones beside "
    "it (of an even number the cheaper of two), by the cost of transport after Umberger in the first physics; one "
    "that has no cost counts as the dearest."
)


def write_study(out: str | Path, result: dict, formats: Sequence[str] = ()) -> Path:
    """Write what `eval.studies.matched.result` gives into a folder; returns its page.

    ``formats``: of `paper.FORMATS`, figures for papers too.

    Raises:
        UserError: something cannot be written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, result)
    drawn = {"over_speed": plots.over_speed(result), "differences": plots.differences(result)}
    saved = [save(figure, out / name, dpi=150) for name, figure in drawn.items()]
    figures = list(zip(("Cost over speed", "Differences"), saved, strict=True))
    paper.write(out, drawn, formats)
    write_text(out / PAGE, page(result, figures))
    return out / PAGE


def page(result: dict, figures: Sequence[tuple[str, bytes]]) -> str:
    """The page of what study.json holds; ``figures``: (title, PNG)."""
    return render(
        "study",
        title=f"Study: {', '.join(side['side'] for side in result['sides'])}",
        made=head(list(dict.fromkeys(row["policy"] for row in result["policies"])), ", ".join(result["physics"])),
        about=_about(result),
        findings=result["findings"],
        notes=result["notes"],
        figures=figures,
        sections=[
            Section(
                f"Differences at {result['at_speed_m_s']:g} m/s", [_differences(result, p) for p in result["physics"]]
            ),
            Section("Sides", [_sides(result), *(_means(result, p) for p in result["physics"])]),
            Section("Trainings", [_policies(result, p) for p in result["physics"]]),
            Section("Device", _devices(result)),
        ],
        method=_METHOD,
    )


def _about(result: dict) -> str:
    speeds = ", ".join(f"{speed:g}" for speed in result["speeds_asked_m_s"])
    return (
        f"{sum(side['trainings'] for side in result['sides'])} trainings; each walks {result['episodes']} times "
        f"{result['seconds']:g} s at {speeds} m/s on: {', '.join(result['physics'])}"
    )


def _differences(result: dict, physics: str) -> Table:
    """A line per pair and figure."""
    lines = []
    for row in result["differences"]:
        if row["physics"] != physics:
            continue
        counts = f"{row['trainings']} against {row['trainings_against']}"
        look = "sure" if sure(row) else "unsure"
        cells = [Cell(_interval(row, name, unit), look) for name, unit in (("difference", ""), ("percent", " %"))]
        paired = f"{_interval(row, 'paired', '')} ({row['pairs']})" if row["paired"] is not None else NONE
        lines.append((f"{row['side']} against {row['against']}", label(row["figure"]), *cells, paired, counts))
    header = ("", "", "difference [95 %]", "percent [95 %]", "paired [95 %] (pairs)", "trainings")
    return Table(header, lines, physics, one_line=True)


def _sides(result: dict) -> Table:
    lines = []
    for side in result["sides"]:
        low, high = side["trained_speeds_m_s"]
        speeds = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        masses = (number(side["body_mass_kg"]), number(side["device_mass_kg"]), number(side["person_mass_kg"]))
        ends = (speeds, str(side["trainings"]), side["median_policy"] or NONE)
        lines.append((side["side"], f"{side['human']} with {side['device']}", *masses, *ends))
    header = ("", "walker", "whole kg", "device kg", "person kg", "trained for m/s", "trainings", "median training")
    return Table(header, lines, one_line=True)


def _means(result: dict, physics: str) -> Table:
    """A line per figure, a column per side: mean over trainings with its interval."""
    sides = [side["side"] for side in result["sides"]]
    rows = {(r["figure"], r["side"]): r for r in result["means"] if r["physics"] == physics}
    lines = [
        (label(figure), *(_interval(rows[figure, side], "mean", "", signed=False) for side in sides))
        for figure in dict.fromkeys(figure for figure, _ in rows)
    ]
    return Table(("", *(f"{side} [95 %]" for side in sides)), lines, f"Means over trainings, {physics}", one_line=True)


def _policies(result: dict, physics: str) -> Table:
    """A line per training: falls, speeds, what it costs."""
    medians = {side["side"]: side["median_policy"] for side in result["sides"]}
    lines = []
    for row in (row for row in result["policies"] if row["physics"] == physics):
        speeds = "{:.2f} to {:.2f}".format(*row["speeds_m_s"]) if row["speeds_m_s"] else NONE
        costs = (number(row["figures"].get(KEY_MODEL + end)) for end in (POWER, COST))
        median = "median" if medians[row["side"]] == row["policy"] else ""
        off = "{falls} of {walks}".format(**row["device_off"]) if row["device_off"] else NONE
        lines.append((row["side"], row["policy"], f"{row['falls']} of {row['walks']}", off, speeds, *costs, median))
    costs = (label(KEY_MODEL + POWER), label(KEY_MODEL + COST))
    header = ("", "training", "fell", "fell, device gone off", "reached m/s", *costs, "")
    return Table(header, lines, physics, one_line=True)


def _devices(result: dict) -> list[Table]:
    """A line per training and driven joint, for each physics; where the limits are from."""
    tables, drives = [], {side["side"]: side["drive"] for side in result["sides"]}
    for physics in result["physics"]:
        lines = []
        for row in (row for row in result["policies"] if row["physics"] == physics):
            joints = [(joint["joint"], *_joint(joint, drives[row["side"]])) for joint in row["device"]]
            lines += [(row["side"], row["policy"], *cells) for cells in joints]
        if lines:
            ends = ("N·m/s", "limit", "power W", "limit", "mean +W")
            header = ("", "training", "joint", "torque N·m", "of its limit", "at the limit", *ends)
            tables.append(Table(header, lines, physics, one_line=True))
    sources = [(side, drive["source"]) for side, drive in drives.items() if drive]
    return [*tables, *([Table(("", ""), sources, "Where the limits of power and rate are from")] if sources else [])]


def _joint(joint: dict, drive: dict | None) -> tuple[str, ...]:
    """A device's figures about one joint as texts, with its limits or that they are not known."""
    limit, share, time = (joint[k] for k in ("torque_limit_nm", "torque_limit_share_peak", "time_at_limit_share"))
    of_limit = NOT_KNOWN if limit is None else f"{100 * share:.0f} % of {number(limit)}"
    at_limit = NOT_KNOWN if time is None else f"{100 * time:.1f} % of the time"
    rate, power = (number(drive[k]) if drive else NOT_KNOWN for k in ("torque_rate_nm_per_s", "power_w"))
    peaks = [number(joint[k]) for k in ("torque_peak_nm", "torque_rate_peak_nm_per_s", "power_peak_w")]
    return (peaks[0], of_limit, at_limit, peaks[1], rate, peaks[2], power, number(joint["positive_power_w"]))


def _interval(row: dict, name: str, unit: str, signed: bool = True) -> str:
    """Estimate and limits of one of a row's quantities; a dash for none."""
    estimate, low, high = (
        row[key] for key in ((name, "low", "high") if name == "mean" else (name, f"{name}_low", f"{name}_high"))
    )
    if estimate is None:
        return NONE
    plus = "+" if signed else ""

    def text(value: float) -> str:
        return f"{value:{plus}.1f}" if unit else f"{value:{plus}.3f}"

    return text(estimate) + unit + (f" [{text(low)}, {text(high)}]" if low is not None else "")
