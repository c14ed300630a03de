"""How the cases of a comparison look: a colour and a dash for each, their curves in a panel, their legend."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mjx_assist.eval.gait import cycles
from mjx_assist.eval.plots.style import HEALTHY, say
from mjx_assist.eval.studies.compare import Walks

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#8E44AD", "#E69F00", "#56B4E9", "#5F6368", "#CC79A7")
DASHES = ("-", (0, (5, 1.6)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_LETTERS = 15  # in an inch of a legend
PERCENT = np.linspace(0, 100, 101)


def case_panel(ax: Axes, walks: Sequence[Walks], curve: str, cases: Sequence[str]) -> None:
    """Mean over the strides of every case, shaded one SD; where less than half of them have a value there is none."""
    drawn = False
    for part in walks:
        strides = part.strides(curve)
        mean, sd = cycles.mean_and_sd(strides[np.isfinite(strides).any(axis=1)])
        if not np.isfinite(mean).any():
            continue
        color, dash = look(cases.index(part.case))
        ax.fill_between(PERCENT, mean - sd, mean + sd, color=color, alpha=0.13, lw=0)
        ax.plot(PERCENT, mean, color=color, ls=dash)
        drawn = True
    if not drawn:
        say(ax, "no complete stride")


def legend(figure: Figure, walks: Sequence[Walks], healthy: bool) -> None:
    handles = [
        Line2D([], [], color=look(i)[0], ls=look(i)[1], lw=1.8, label=case) for i, case in enumerate(case_names(walks))
    ]
    if healthy:
        handles.append(Line2D([], [], color=HEALTHY, alpha=0.5, lw=6, label="healthy, mean ± SD"))
    letters = sum(len(str(handle.get_label())) + 6 for handle in handles)
    columns = max(1, min(len(handles), int(len(handles) * _LETTERS * figure.get_figwidth() / letters)))
    figure.legend(handles=handles, loc="outside upper left", ncols=columns)


def look(index: int) -> tuple:
    return PALETTE[index % len(PALETTE)], DASHES[index % len(DASHES)]


def case_names(walks: Sequence[Walks]) -> list[str]:
    return list(dict.fromkeys(part.case for part in walks))
