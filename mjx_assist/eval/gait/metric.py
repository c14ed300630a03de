"""What a gait figure is: a number for every stride, and all that is told of it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from mjx_assist.eval.replay.record import GaitRecord

GROUPS = ("kinematics", "kinetics", "device", "activation", "metabolic")  # under which comparisons list figures


def always(_record: GaitRecord) -> bool:
    """Of a figure that every record has."""
    return True


@dataclass(frozen=True)
class StrideMetric:
    """A figure of every stride.

    ``name``: the key, with the unit at its end; ``title`` and ``unit``: for people. ``function``: record -> [n], a
    number for each of ``events.strides`` in their order, NaN where a stride lacks it. ``formula`` and ``source``: for
    the documentation. ``known``: which records have it, the others go without. ``family``: its line in the
    documentation, by default its own. ``drawn``: as a panel of "Further figures", in reports and comparisons.
    ``spread``: its variability is told; ``symmetry``: the symmetry index of its legs is told.

    ``each``: a figure of every muscle, driven joint or whatever it names in a record; ``name`` has a `<word>` in their
    place, ``function`` takes one after the record. Comparisons alone list these, first in their group.
    """

    name: str
    title: str
    unit: str
    function: Callable[..., np.ndarray]
    formula: str = ""
    source: str = ""
    group: str = "kinematics"
    known: Callable[[GaitRecord], bool] = always
    family: str = ""
    drawn: bool = True
    spread: bool = False
    symmetry: bool = False
    each: Callable[[GaitRecord], Iterable[str]] | None = None

    @property
    def label(self) -> str:
        """Of a row or an axis: "Stride time (s)"."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def of_each(self, name: str) -> str:
        """The key of the figure of one of ``each``."""
        return re.sub(r"<\w+>", name, self.name)
