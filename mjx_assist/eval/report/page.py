"""The gait report's HTML: verdict first, then pictures, figures, tables, and what was run. One file, no links.

It lays out what it is given; nothing is measured or judged here."""

import base64
import html
from collections.abc import Sequence

from mjx_assist.eval.report import tables
from mjx_assist.eval.report.tables import figure_table, mapping_table
from mjx_assist.eval.report.verdict import FAIR, GOOD, POOR, UNKNOWN, Finding

_MARKS = {GOOD: ("✓", "healthy or as asked"), FAIR: ("!", "nearly"), POOR: ("✕", "not"), UNKNOWN: ("?", "not known")}
_STYLE = """
:root { --ink: #202124; --soft: #5f6368; --line: #e3e5e8; }
* { box-sizing: border-box; }
body { margin: 0; background: #f1f3f4; color: var(--ink);
  font: 15px/1.45 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 26px 36px 40px; background: #fff; }
h1 { font-size: 25px; margin: 0; } h2 { font-size: 18px; margin: 34px 0 6px; }
h3 { font-size: 14px; margin: 18px 0 4px; }
p { margin: 6px 0; } .soft, figcaption, .small { color: var(--soft); font-size: 12.5px; }
.overall { font-size: 19px; font-weight: 600; margin: 16px 0 10px; padding: 10px 16px; border-left: 7px solid #9aa0a6;
  background: #f8f9fa; }
.overall.good { border-color: #00845f; } .overall.fair { border-color: #e69f00; }
.overall.poor { border-color: #b3261e; }
h3 + table { margin-top: 0; }
table { border-collapse: collapse; margin: 4px 0 14px; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { text-align: left; padding: 4px 20px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: 12.5px; }
table.verdict { width: 100%; font-size: 15px; } table.verdict td { padding: 7px 14px 7px 0; }
table.verdict td:nth-child(2) { font-weight: 600; white-space: nowrap; }
table.verdict .small { display: block; font-size: 11.5px; }
.mark { display: inline-block; width: 25px; height: 25px; border-radius: 13px; color: #fff; font-weight: 700;
  text-align: center; line-height: 25px; }
.mark.good { background: #00845f; } .mark.poor { background: #b3261e; border-radius: 3px; }
.mark.fair { background: #f0b429; color: #202124; } .mark.unknown { background: #dadce0; color: #202124; }
.notes { background: #fff4ec; border-left: 7px solid #d55e00; padding: 6px 16px; margin: 12px 0; }
figure { margin: 6px 0 12px; break-inside: avoid; } img { width: 100%; height: auto; display: block; }
h2, h3 { break-after: avoid; } tr { break-inside: avoid; }
.columns > div { display: inline-block; vertical-align: top; margin-right: 26px; }
.columns table { font-size: 12px; } .columns th, .columns td { padding: 2px 13px 2px 0; }
@page { size: A4; margin: 13mm 12mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
@media print { body { background: #fff; font-size: 10.5px; } main { padding: 0; max-width: none; }
  table { font-size: 9.5px; } th { font-size: 9px; } table.verdict { font-size: 10.5px; } h1 { font-size: 17px; }
  h2 { font-size: 13.5px; margin-top: 16px; } h3 { font-size: 11px; } .overall { font-size: 13px; }
  .soft, figcaption, .small, table.verdict .small { font-size: 8.5px; }
  .mark { width: 16px; height: 16px; line-height: 16px; } .columns table { font-size: 8px; } }
"""
_CAPTION = (
    "Mean over the strides of all episodes, shaded one SD; 0 % is initial contact, each leg on its own cycle. Grey: "
    "healthy walking at the speed asked, mean ± SD (Schwartz et al. 2008). Flexion, dorsiflexion and forward tilt "
    "point up; so do extending and plantarflexing moments. Net moments are what inverse dynamics finds. r and RMSE: "
    "against the policy's own reference, instant by instant, after the first 2 s. Grey bars over muscles: when the EMG "
    "of healthy people is on (Perry 1992)."
)
_METHOD = (
    "A foot is in contact from the sample its load reaches 2 % of body weight, if it gets past 5 %; unloadings and "
    "contacts shorter than 0.1 s are bounces and scuffs and do not count. Each episode's first and last stride of each "
    "foot are left out. Step length is the distance between the heels' places at successive contacts. Ground reaction: "
    "zero-lag 4th-order Butterworth at 20 Hz (99 % of the power of walking lies below 15 Hz: Antonsson and Mann 1985); "
    "unfiltered peaks also hold the ringing of the impact. Symmetry index: 100 (R − L) / (0.5 (R + L)), Robinson, "
    "Herzog and Nigg 1987. Healthy bands: Schwartz, Rozumalski and Trost 2008, typically developing people at the "
    "same dimensionless speed; 1 SD holds two thirds of them."
)


def page(
    title: str,
    metrics: dict,
    verdict: tuple[str, Sequence[Finding]],
    figures: Sequence[tuple[str, bytes]],
    pictures: Sequence[tuple[str, bytes]],
    headline: Sequence[tuple[str, str, str]],
) -> str:
    """The page. ``verdict``: the sentence on top and the findings; ``figures`` and ``pictures``: (text, PNG)."""
    sentence, findings = verdict
    body = [
        f"<h1>{html.escape(title)}</h1><p class='soft'>{html.escape(_about(metrics))}</p>",
        f"<p class='overall {_worst(findings)}'>{html.escape(sentence)}</p>",
        _notes(metrics["notes"]),
        _verdict_table(findings),
        *(_figure(image, caption) for caption, image in pictures),
        "<h2>Key figures</h2>",
        figure_table(("", "measured", "asked or healthy"), headline),
        *_sections(figures),
        *tables.all_tables(metrics),
        mapping_table("Training, at its end", metrics.get("training")),
        mapping_table("What was run", metrics.get("info")),
        f"<h2>How it was measured</h2><p class='small'>{html.escape(_METHOD)}</p>",
    ]
    head = f"<meta charset='utf-8'><title>{html.escape(title)}</title><style>{_STYLE}</style>"
    content = "\n".join(part for part in body if part)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body><main>\n{content}\n</main></body></html>\n"


def _about(metrics: dict) -> str:
    """Who walked, on what model, how long."""
    episodes, strides = metrics["episodes"], metrics["both"]["strides"]
    return (
        f"{metrics['human']}, device {metrics['device_name']}, {metrics['model_kind']} model, "
        f"{episodes} episode{'' if episodes == 1 else 's'}, {strides} stride{'' if strides == 1 else 's'}"
    )


def _worst(findings: Sequence[Finding]) -> str:
    marks = {finding.mark for finding in findings}
    return next(mark for mark in (POOR, FAIR, UNKNOWN, GOOD) if mark in marks)


def _verdict_table(findings: Sequence[Finding]) -> str:
    """A row per question: mark, question, answer, and the rule with its source in small print."""
    rows = []
    for finding in findings:
        sign, meaning = _MARKS[finding.mark]
        rule = f"Rule: {finding.rule.bound} ({finding.rule.source})"
        rows.append(
            f"<tr><td><span class='mark {finding.mark}' title='{meaning}'>{sign}</span></td>"
            f"<td>{html.escape(finding.rule.question)}</td>"
            f"<td>{html.escape(finding.sentence)}<span class='small'>{html.escape(rule)}</span></td></tr>"
        )
    return f"<table class='verdict'><tbody>{''.join(rows)}</tbody></table>"


def _sections(figures: Sequence[tuple[str, bytes]]) -> list[str]:
    """A heading and a figure each; what the curves mean is said under the first."""
    return [
        f"<h2>{html.escape(title)}</h2>" + _figure(image, "" if i else _CAPTION, alt=title)
        for i, (title, image) in enumerate(figures)
    ]


def _notes(notes: Sequence[str]) -> str:
    return f"<div class='notes'>{''.join(f'<p>{html.escape(note)}</p>' for note in notes)}</div>" if notes else ""


def _figure(image: bytes, caption: str, alt: str = "") -> str:
    data, text = base64.b64encode(image).decode(), html.escape(caption)
    caption = f"<figcaption>{text}</figcaption>" if text else ""
    return f"<figure><img alt='{html.escape(alt or caption)}' src='data:image/png;base64,{data}'>{caption}</figure>"
