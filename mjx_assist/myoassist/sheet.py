"""What a translation has found: our config as it grows, and a row for every key of theirs."""

import fnmatch
import json
from dataclasses import dataclass, field
from typing import Any

from mjx_assist.files import tables
from mjx_assist.myoassist.vocabulary import WEIGHTS

_WIDEST = 44  # characters of a value in the table


@dataclass(frozen=True)
class Row:
    """A key of theirs with its value, and what became of it."""

    key: str
    value: Any
    told: str


@dataclass
class Sheet:
    """Plain data of our config, and the rows of what is translated, without effect, or cannot be honoured."""

    ours: dict[str, Any] = field(default_factory=dict)
    translated: list[Row] = field(default_factory=list)
    idle: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)

    def put(self, key: str, value: Any) -> None:
        """Set a dotted key of ours."""
        node = self.ours
        *groups, leaf = key.split(".")
        for group in groups:
            node = node.setdefault(group, {})
        node[leaf] = value

    def take(self, key: str, value: Any, ours: str, as_value: Any = None, told: str = "") -> None:
        """A key of theirs that becomes one of ours, with its value or another."""
        value_here = value if as_value is None else as_value
        self.put(ours, value_here)
        same = key == ours and value_here == value
        self.say(
            key, value, "; ".join(filter(None, ["same" if same else f"{_brief(ours)} = {short(value_here)}", told]))
        )

    def say(self, key: str, value: Any, told: str) -> None:
        self.translated.append(Row(key, value, told))

    def ignore(self, key: str, value: Any, why: str) -> None:
        self.idle.append(Row(key, value, why))

    def refuse(self, key: str, value: Any, why: str) -> None:
        self.refused.append(Row(key, value, why))

    def table(self) -> str:
        """All rows as text, the three kinds one after another."""
        kinds = {"translated": self.translated, "without effect": self.idle, "cannot be honoured": self.refused}
        rows = [[kind, _brief(row.key), short(row.value), row.told] for kind, part in kinds.items() for row in part]
        return tables.table(["", "MyoAssist", "value", "here"], rows)

    def forget(self, given: set[str]) -> None:
        """Leaves out what is without effect and not ``given`` in the file, by the last words of its keys."""
        leaves = [[key.rpartition(".")[2] for key in row.key.split(", ")] for row in self.idle]
        here = [any(fnmatch.filter(given, leaf) for leaf in names) for names in leaves]
        self.idle = [row for row, keep in zip(self.idle, here, strict=True) if keep]


def _brief(key: str) -> str:
    return key.removeprefix("env_params.").replace(f"{WEIGHTS}.", "")


def short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 4]} ..."
