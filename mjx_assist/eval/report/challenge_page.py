"""The challenge as one self-contained HTML page, with its figures as PNG and SVG beside it."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.plots import challenge
from mjx_assist.eval.plots.style import png, svg
from mjx_assist.eval.studies.challenge import HEADER, NOTE, cells, headline, overview_cell
from mjx_assist.files.atomic import replacing

PAGE = "challenge.html"
_STYLE = """
body { margin: 0; background: #f1f3f4; color: #202124;
  font: 15px/1.45 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 26px 36px 40px; background: #fff; }
h1 { font-size: 25px; margin: 0; } h2 { font-size: 18px; margin: 34px 0 6px; }
.soft { color: #5f6368; font-size: 12.5px; }
table { border-collapse: collapse; margin: 4px 0 14px; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: left; padding: 3px 16px 3px 0; border-bottom: 1px solid #e3e5e8; }
td { white-space: nowrap; } th { font-weight: 600; color: #5f6368; }
tr.met td:last-child, td.met { color: #00845f; font-weight: 700; }
tr.missed td:last-child, td.missed { color: #b3261e; }
td.group { font-weight: 600; color: #5f6368; padding-top: 10px; }
img { max-width: 100%; height: auto; display: block; }
"""


def write_page(out: Path, policies: Sequence[dict]) -> Path:
    """Write figures and page into ``out``; ``policies`` is what challenge.json holds."""
    policies = [policy for policy in policies if policy["rows"]]
    drawn = {"overview": challenge.overview(policies), "gait": challenge.gait(policies)}
    images = {}
    for name, figure in drawn.items():
        images[name] = png(figure, dpi=160)
        for suffix, content in ((".png", images[name]), (".svg", svg(figure))):
            with replacing(out / f"{name}{suffix}") as stream:
                stream.write(content)
    with replacing(out / PAGE) as stream:
        stream.write(_page(policies, images).encode())
    return out / PAGE


def _page(policies: Sequence[dict], images: dict[str, bytes]) -> str:
    body = [
        "<h1>Challenge</h1>",
        *(f"<p><b>{html.escape(policy['name'])}</b> {html.escape(headline(policy))}</p>" for policy in policies),
        _image(images["overview"], "Seeds that stood and speed error of every row"),
        *([_overview(policies)] if len(policies) > 1 else []),
        "<h2>How the gait follows the speed</h2>",
        _image(images["gait"], "Stride length and cadence against speed"),
        "<p class='soft'>Grey: a constant ratio of step length to cadence (Sekiya and Nagasaki 1998).</p>",
        *(f"<h2>{html.escape(policy['name'])}</h2>{_table(policy['rows'])}" for policy in policies),
        f"<p class='soft'>{html.escape(NOTE)}</p>",
    ]
    head = f"<meta charset='utf-8'><title>Challenge</title><style>{_STYLE}</style>"
    content = "\n".join(body)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body><main>\n{content}\n</main></body></html>\n"


def _overview(policies: Sequence[dict]) -> str:
    """Policies side by side."""
    names = list(dict.fromkeys(row["row"] for policy in policies for row in policy["rows"]))
    by_name = [{row["row"]: row for row in policy["rows"]} for policy in policies]
    lines = []
    for name in names:
        found = [rows.get(name) for rows in by_name]
        texts = (
            f"<td class='{'met' if row and row['met'] else 'missed'}'>{overview_cell(row).strip('*')}</td>"
            for row in found
        )
        lines.append(f"<tr><td>{html.escape(name)}</td>{''.join(texts)}</tr>")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("", *(policy["name"] for policy in policies)))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _table(rows: Sequence[dict]) -> str:
    """A policy's rows, group by group."""
    head, lines, group = "".join(f"<th>{html.escape(cell)}</th>" for cell in HEADER), [], None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            lines.append(f"<tr><td class='group' colspan='{len(HEADER)}'>{html.escape(group.capitalize())}</td></tr>")
        texts = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(row))
        lines.append(f"<tr class='{'met' if row['met'] else 'missed'}'>{texts}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _image(image: bytes, text: str) -> str:
    return f"<img alt='{text}' src='data:image/png;base64,{base64.b64encode(image).decode()}'>"
