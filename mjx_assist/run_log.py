"""The logs of a training run: JSON lines that a killed run may have left half written. No JAX."""

import json
from pathlib import Path

TRAIN_LOG = "train_log.jsonl"
EVALUATION_LOG = "evaluation_log.jsonl"


def read_rows(path: Path, until: int | None = None) -> list[dict]:
    """Rows of a log, up to an update; none where there is no file. A line that was being written is left out."""
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return [row for row in rows if until is None or row["update"] <= until]
