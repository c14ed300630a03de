"""What is one value for a whole record, as text in a table's header, and back."""

from typing import Any

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.record import NAMES, SCALARS, SERIES, GaitRecord

ONCE = tuple(name for name, series in SERIES.items() if len(series.axes) == 1 and series.axes != "T")


def header_of(record: GaitRecord) -> dict[str, str]:
    """What a table's columns cannot hold, as text by field name; ``fields_of_header`` reads it back."""
    header = {name: str(getattr(record, name)) for name in SCALARS}
    header |= {name: " ".join(repr(float(x)) for x in getattr(record, name)) for name in ONCE}
    return header | {name: " ".join(getattr(record, name)) for name in ("muscle_names", "device_joints")}


def fields_of_header(header: dict[str, str], source: str) -> dict[str, Any]:
    """The record fields among a header's entries. Raises UserError for one that is not what it should be."""
    fields: dict[str, Any] = {}
    for name in (*SCALARS, *ONCE, "muscle_names", "device_joints"):
        text = header.get(name)
        if text is None:
            continue
        try:
            if name in ONCE:
                fields[name] = np.array(text.split(), float)
            elif name in NAMES:
                fields[name] = tuple(text.split())
            else:
                fields[name] = text == "True" if SCALARS[name] is bool else SCALARS[name](text)
        except ValueError:
            raise UserError(f"{source}: header entry {name} is {text!r}, not a number.") from None
    return fields
