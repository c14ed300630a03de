"""A comparison's folder: compare.json, compare.csv, the page and its figures."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from mjx_assist.eval.report.compare_page import write_page
from mjx_assist.eval.studies.cases import Comparison
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json

JSON, CSV = "compare.json", "compare.csv"


def write_comparison(out: str | Path, comparison: Comparison) -> Path:
    """Write a comparison into a folder; returns its page.

    Raises:
        UserError: something cannot be written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, comparison.result)
    write_text(out / CSV, _csv(comparison.result["figures"]))
    return write_page(out, comparison.result, comparison.walks)


def _csv(rows: Sequence[dict]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
