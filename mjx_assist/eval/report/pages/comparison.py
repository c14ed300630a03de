"""A comparison's folder: compare.json, compare.csv, curves.csv, the page and its figures."""

from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.report.pages.compare import write_page
from mjx_assist.eval.studies import compare
from mjx_assist.eval.studies.cases import Comparison
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import csv_text

JSON, CSV, CURVES = "compare.json", "compare.csv", "curves.csv"


def write_comparison(out: str | Path, comparison: Comparison, formats: Sequence[str] = ()) -> Path:
    """Write a comparison into a folder; returns its page. ``formats``: of `paper.FORMATS`, figures for papers too.

    Raises:
        UserError: something cannot be written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, comparison.result)
    rows = comparison.result["figures"]
    write_text(out / CSV, csv_text(rows, list(dict.fromkeys(name for row in rows for name in row))))
    write_text(out / CURVES, csv_text(compare.curve_rows(comparison.walks), compare.CURVE_COLUMNS))
    return write_page(out, comparison.result, comparison.walks, formats)
