"""Logs of JSON lines, which a killed run may have left half written."""

import json
from pathlib import Path


def read_rows(path: Path, until: int | None = None) -> list[dict]:
    """Rows of a log, up to an update; none where there is no file. A line that was being written is left out."""
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return [row for row in rows if until is None or row["update"] <= until]
