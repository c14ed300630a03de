"""The challenge's results as texts: a row's cells, the table in Markdown, one policy beside another."""

import math
from collections.abc import Iterable, Sequence


def target_text(result: dict) -> str:
    """What a row asks in words."""
    target, count = result["target"], result["seeds"]
    text = [f"{math.ceil(target['share'] * count - 1e-9)} of {count} for {result['seconds']:g} s"]
    if target["speed_error"] is not None:
        text.append(f"error < {target['speed_error']:g} m/s")
    if target["correlation"] is not None:
        text.append(f"hip and knee r ≥ {target['correlation']:g}")
    if target.get("heading_error") is not None:
        text.append(f"heading < {target['heading_error']:g}°, path < {target['path_error']:g} m")
    return ", ".join(text)


HEADER = ("", "asked", "stood", "95 %", "walked s", "m/s asked", "m/s reached", "m/s error", "hip / knee r")
HEADER = (*HEADER, "off heading ° / path m", "met")


def cells(result: dict) -> tuple[str, ...]:
    """A row's texts under `HEADER`."""

    def number(key: str, form: str = ".2f") -> str:
        return "-" if result.get(key) is None else format(result[key], form)

    return (
        result["row"],
        target_text(result),
        f"{result['survived']} of {result['seeds']}",
        f"{100 * result['survived_low']:.0f} to {100 * result['survived_high']:.0f}",
        number("walked_s", ".1f"),
        number("speed_asked_m_s"),
        number("speed_m_s"),
        number("speed_error_m_s"),
        f"{number('hip_r')} / {number('knee_r')}",
        f"{number('heading_error_deg', '.0f')} / {number('path_error_m')}" if "path_error_m" in result else "",
        "yes" if result["met"] else "no",
    )


def markdown(policies: Sequence[dict]) -> str:
    """The table in Markdown: an overview where there are several policies, then each policy's rows."""
    parts = ["# Challenge"]
    if len(policies) > 1:
        lines = [(name, *map(overview_cell, results)) for name, results in side_by_side(policies)]
        parts += ["Seeds that stood; **bold** where the row's target is met.", ""]
        parts.append(_lines(("", *(policy["name"] for policy in policies)), lines))
    for policy in policies:
        parts += [f"\n## {policy['name']}\n", headline(policy), "", _lines(HEADER, map(cells, policy["rows"]))]
    return "\n".join([*parts, "", NOTE, ""])


NOTE = (
    "Stood: seeds that did not fall; 95 %: Wilson's interval of that share, in per cent. Error: mean distance between "
    "speed and command over windows of 2 s, after the first 2 s. r: correlation with the reference gait, mean of both "
    "sides. Off heading, path: how far the pelvis faced off the commanded heading and was off its path, mean of such "
    "windows. A row is met only if all that it asks is."
)


def side_by_side(policies: Sequence[dict]) -> list[tuple[str, list[dict | None]]]:
    """Every row's name with each policy's result, None where a policy has none."""
    names = dict.fromkeys(row["row"] for policy in policies for row in policy["rows"])
    by_name = [{row["row"]: row for row in policy["rows"]} for policy in policies]
    return [(name, [results.get(name) for results in by_name]) for name in names]


def overview_cell(result: dict | None) -> str:
    """Seeds that stood and the speed error of one row, bold where it is met."""
    if result is None:
        return "-"
    error = result["speed_error_m_s"]
    text = f"{result['survived']} of {result['seeds']}" + ("" if error is None else f", {error:.2f} m/s")
    return f"**{text}**" if result["met"] else text


def headline(policy: dict) -> str:
    """How many rows a policy meets, in a sentence."""
    rows = policy["rows"]
    seeds = rows[0]["seeds"] if rows else 0
    return f"{policy['walker']}: meets {sum(row['met'] for row in rows)} of {len(rows)} rows, {seeds} seeds each."


def _lines(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *lines))
