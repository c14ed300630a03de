"""The report's tables, made from whatever figures the metrics tree holds: labels and units come from its keys.

A figure that is new in ``metrics.summarize`` is shown without a change here."""

from collections.abc import Iterator, Sequence

from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.eval.gait import metrics as stride_metrics
from mjx_assist.eval.gait.angles import JOINT_TITLES
from mjx_assist.eval.plots.style import MUSCLE_TITLES
from mjx_assist.eval.replay.record import SIDES
from mjx_assist.eval.report.html import Section, Table

NONE = "–"
LEGS = (*SIDES, "both")
# Endings of keys, those that end in another one before it, and the unit that they stand for.
_UNITS = {
    "steps_per_min": "steps/min",
    "nm_per_kg": "N·m/kg",
    "j_per_kg_m": "J/(kg·m)",
    "nm_s_per_kg": "N·m·s/kg",
    "bw_per_s": "BW/s",
    "j_per_kg": "J/kg",
    "w_per_kg": "W/kg",
    "deg_per_s": "deg/s",
    "per_stride": "per stride",
    "per_s": "1/s",
    "percent": "%",
    "bw_s": "BW·s",
    "m_s": "m/s",
    "deg": "deg",
    "rad": "rad",
    "bw": "BW",
    "nm": "N·m",
    "kg": "kg",
    "hz": "Hz",
    "mm": "mm",
    "cm": "cm",
    "ms": "ms",
    "sd": "SD",
    "s": "s",
    "m": "m",
    "w": "W",
    "n": "N",
}
_WORDS = {
    **{"grf": "ground reaction", "corr": "correlation with", "rmse": "RMSE", "cop": "centre of pressure"},
    **{"gps": "gait profile score", "map": "movement analysis profile", "cv": "CV", "emg": "EMG", "nrmse": "NRMSE"},
    **{"sd": "SD", "r": "r"},
    **{
        "umberger2010": "Umberger 2010",
        "bhargava2004": "Bhargava 2004",
        "opensim": "in OpenSim's form",
        "com": "centre of mass",
    },
}
_ELSEWHERE = ("verdict", "curves", "notes", "per_episode", "info", "training", "title", "schema_version", *LEGS)
_HEADINGS = {
    "healthy": "Deviation from healthy gait",
    "emg": "Muscle timing against published EMG",
    "cocontraction": "Co-contraction",
    "metabolic": "Metabolic power and cost of transport",
    "scores": "Scores",
    "stability": "Stability",
    "variability": "Stride-to-stride variability",
    "symmetry": "Symmetry",
    "one_sided": "Sound and prosthetic side",
    "device": "Device",
    "verdict_facts": "What the verdict is about",
    ZERO_TORQUE: "The same walker with the device at zero torque",
}
# What a leg's figures are about, by the beginning of their keys.
_TOPICS = {
    **{"": "Steps", "grf": "Ground reaction", "hip": "Hip", "knee": "Knee", "ankle": "Ankle", "pelvis": "Pelvis"},
}
_FEW = 3  # up to so many groups with legs get a table each
_DRAWN = ("per_muscle",)  # shown as a figure; metrics.json has the numbers


def sections(metrics: dict) -> list[Section]:
    """Every table: each leg's figures, then each further part of the tree, then the episodes."""
    parts = [Section("Gait, mean ± SD over strides", list(_leg_tables(metrics)), columns=True)]
    for key, part in metrics.items():
        if key in _ELSEWHERE or not isinstance(part, dict) or not part:
            continue
        parts.append(Section(_HEADINGS.get(key, label(key)), list(_tables(part)), columns=True))
    return [*parts, Section("Episodes", [_episode_table(metrics["per_episode"])])]


def mapping(title: str, figures: dict | None) -> list[Section]:
    """Names and values as they are, under a heading; nothing for nothing."""
    if not figures:
        return []
    rows = [
        (str(key), f"{value:,.6g}" if isinstance(value, float) else number(value)) for key, value in figures.items()
    ]
    return [Section(title, [Table(("", ""), rows)])]


def label(key: str) -> str:
    """A key as a person reads it: ``stride_time_s`` is "Stride time (s)"."""
    if key in stride_metrics.METRICS:
        return stride_metrics.METRICS[key].label
    for ending, unit in _UNITS.items():
        if key.endswith(f"_{ending}"):
            return f"{_words(key[: -len(ending) - 1])} ({unit})"
    known = MUSCLE_TITLES | {joint: title.capitalize() for joint, title in JOINT_TITLES.items()}
    return known.get(key) or _words(key)


def number(value, like: float | None = None) -> str:
    """A figure with about three digits (``like``: as many places as that one), a dash for None, yes or no, or text."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return ", ".join(map(number, value)) if isinstance(value, list | tuple) else str(value)
    size = abs(value if like is None else like)
    return f"{value:,.{0 if size >= 1000 else 1 if size >= 20 else 2 if size >= 1 else 3}f}"


def _words(key: str) -> str:
    text = " ".join(_WORDS.get(word, word) for word in key.split("_"))
    return text if text == "r" else text[:1].upper() + text[1:]


def _leg_tables(metrics: dict) -> Iterator[Table]:
    """The figures of right, left and both: plain ones by topic with their SD, then a table for each group of them."""
    legs, titles = {leg: metrics[leg] for leg in LEGS}, leg_titles(metrics)
    topics: dict[str, list[tuple[str, ...]]] = {}
    for key, value in legs["both"].items():
        if isinstance(value, dict) or _repeats(legs, key):
            continue
        topic = key.split("_")[0] if key.split("_")[0] in _TOPICS else ""
        name = label(key).removeprefix(f"{_TOPICS[topic]} ") if topic else label(key)
        name = name[:1].upper() + name[1:]
        topics.setdefault(topic, []).append((name, *(_with_sd(leg, key) for leg in legs.values())))
    for topic, rows in topics.items():
        yield Table(("", *titles), rows, _TOPICS[topic])
    for group, value in legs["both"].items():
        if isinstance(value, dict) and group != "sd" and value:
            rows = [(label(key), *(number((leg.get(group) or {}).get(key)) for leg in legs.values())) for key in value]
            yield Table(("", *titles), rows, label(group))


def leg_titles(metrics: dict) -> tuple[str, ...]:
    """ "right", "left", "both", and of a body with a prosthesis which leg is sound."""
    told = metrics.get("one_sided") or {}
    names = {told.get("prosthetic_side"): "prosthetic", told.get("sound_side"): "sound"} if told else {}
    return tuple(f"{leg} ({names[leg]})" if leg in names else leg for leg in LEGS)


def _repeats(legs: dict[str, dict], key: str) -> bool:
    """Whether a biological figure only repeats the net one, as it does where no device drives the joint."""
    net = key.replace("_biological", "")
    return net != key and all(leg.get(net) == leg.get(key) for leg in legs.values())


def _with_sd(leg: dict, key: str) -> str:
    value, sd = leg.get(key), leg.get("sd", {}).get(key)
    return number(value) + (f" ± {number(sd, like=value)}" if sd is not None else "")


def _tables(part: dict, title: str = "") -> Iterator[Table]:
    """Tables of a tree: a matrix where groups share their figures or are legs, else one table after the other."""
    part = {key: value for key, value in part.items() if value != {} and key not in _DRAWN}
    groups = {key: value for key, value in part.items() if isinstance(value, dict)}
    if _has_legs(part):
        rest = {key: value for key, value in part.items() if key not in LEGS}
        legs = {leg: _flat(part.get(leg, rest)) for leg in LEGS}
        rows = [(name, *(number(leg.get(name)) for leg in legs.values())) for name in legs["both"]]
        yield Table(("", *LEGS), rows, title)
        return
    if all(map(_has_legs, groups.values())) and len(groups) > _FEW:
        rows = {label(name): _pairs(group) for name, group in groups.items()}
        keys = list(next(iter(rows.values())))
        yield Table(("right / left", *keys), [(name, *(r.get(k, NONE) for k in keys)) for name, r in rows.items()])
        return
    plain = [(label(key), number(value)) for key, value in part.items() if key not in groups]
    if plain:
        yield Table(("", ""), plain, title)
    alike: dict[tuple, dict[str, dict]] = {}
    for key, value in groups.items():
        alike.setdefault(_figures_of(value) or (key,), {})[key] = value
    for several in alike.values():
        if len(several) > 1:
            yield _matrix(several, "" if plain else title)
            continue
        for key, value in several.items():
            yield from _tables(value, f"{title}: {label(key)}" if title else label(key))


def _has_legs(part: dict) -> bool:
    return all(isinstance(part.get(side), dict) for side in SIDES)


def _flat(part: dict) -> dict:
    """A tree's figures by label; of a group inside, with the group's name in front."""
    flat = {}
    for key, value in part.items():
        if isinstance(value, dict):
            flat |= {f"{label(key)}, {_lower(name)}": figure for name, figure in _flat(value).items()}
        else:
            flat[label(key)] = value
    return flat


def _pairs(group: dict) -> dict[str, str]:
    """Figures of a group with legs: "right / left" for those of the legs, the others as they are."""
    right, left = (_flat(group[side]) for side in SIDES)
    others = {key: value for key, value in group.items() if key not in LEGS}
    pairs = {name: f"{number(right[name])} / {number(left.get(name))}" for name in right}
    return pairs | {name: number(value) for name, value in _flat(others).items()}


def _lower(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _figures_of(group: dict) -> tuple[str, ...]:
    """The keys of a group of plain figures; none for one with groups inside."""
    shown = {key: value for key, value in group.items() if key not in _DRAWN}
    return () if any(isinstance(value, dict) for value in shown.values()) else tuple(shown)


def _matrix(groups: dict[str, dict], title: str) -> Table:
    """Groups with the same keys in one table, the more numerous ones down."""
    keys = list(dict.fromkeys(key for group in groups.values() for key in group if key not in _DRAWN))
    if len(groups) > len(keys):
        rows = [(label(name), *(number(group.get(key)) for key in keys)) for name, group in groups.items()]
        return Table(("", *map(label, keys)), rows, title)
    rows = [(label(key), *(number(group.get(key)) for group in groups.values())) for key in keys]
    return Table(("", *map(label, groups)), rows, title)


def _episode_table(episodes: Sequence[dict]) -> Table:
    """One line an episode; grouped figures (correlations) as columns of their own."""

    def cells(episode: dict) -> dict[str, str]:
        flat = {}
        for key, value in episode.items():
            if isinstance(value, dict):
                flat |= {f"{label(key)}, {label(part).lower()}": number(figure) for part, figure in value.items()}
            else:
                flat[label(key)] = number(value)
        return flat

    lines = [cells(episode) for episode in episodes]
    return Table(tuple(lines[0]), [tuple(line.values()) for line in lines])


def interval(row: dict, name: str, unit: str, signed: bool = True) -> str:
    """Estimate and limits of one of a row's quantities; a dash for none."""
    estimate, low, high = (
        row[key] for key in ((name, "low", "high") if name == "mean" else (name, f"{name}_low", f"{name}_high"))
    )
    if estimate is None:
        return NONE
    plus = "+" if signed else ""

    def text(value: float) -> str:
        return f"{value:{plus}.1f}" if unit else f"{value:{plus}.3f}"

    return text(estimate) + unit + (f" [{text(low)}, {text(high)}]" if low is not None else "")
