"""Of a study over people what its page says otherwise: differences with both intervals, and who gains."""

from mjx_assist.eval.report.html import Cell, Table
from mjx_assist.eval.report.tables import NONE, interval, label, number
from mjx_assist.eval.studies.cohort import TRAITS
from mjx_assist.eval.studies.conclusions import COST, KEY_MODEL, sure


def differences(result: dict, physics: str) -> Table:
    """A line per pair and figure."""
    lines = []
    for row in result["differences"]:
        if row["physics"] != physics:
            continue
        look = "sure" if sure(row) else "unsure"
        cells = [Cell(interval(row, name, unit), look) for name, unit in (("difference", ""), ("percent", " %"))]
        again = NONE
        if row["over_trainings_low"] is not None:
            again = f"[{row['over_trainings_low']:+.3f}, {row['over_trainings_high']:+.3f}]"
        spread = NONE if row["people_sd"] is None else f"{row['people_sd']:.3f}"
        gain = f"{row['less']} of {row['people']}"
        lines.append((f"{row['side']} against {row['against']}", label(row["figure"]), *cells, again, spread, gain))
    header = ("", "", "difference [95 % over people]", "percent [95 % over people]", "[95 % over trainings]")
    return Table((*header, "spread of people", "spend less"), lines, physics, one_line=True)


def tables(result: dict) -> list[Table]:
    """Who they are, then of each pair of sides every person's cost of transport in the first physics."""
    header = ("", "height (m)", "mass (kg)", "sex", "age", "strength")
    lines = [
        (
            each["person"],
            f"{each['height_m']:.3f}",
            f"{each['mass_kg']:.1f}",
            each["sex"] or NONE,
            NONE if each["age_years"] is None else f"{each['age_years']:.0f}",
            f"{each['strength']:.2f}",
        )
        for each in result["people"]
    ]
    place = (KEY_MODEL + COST, result["physics"][0])
    rows = [row for row in result["differences"] if (row["figure"], row["physics"]) == place]
    return [Table(header, lines, one_line=True), *map(_pair, rows), *_ranks(rows)]


def _pair(row: dict) -> Table:
    lines = []
    for each in row["each"]:
        look = "sure" if sure(each) else "unsure"
        costs = (f"{each['of']:.3f}", f"{each['against']:.3f}")
        lines.append(
            (each["person"], *costs, Cell(interval(each, "difference", ""), look), f"{each['percent']:+.1f} %")
        )
    header = ("", row["side"], row["against"], "difference [95 % over trainings]", "percent")
    title = f"{row['side']} against {row['against']}: {label(row['figure'])}, {row['physics']}"
    return Table(header, lines, title, one_line=True)


def _ranks(rows: list[dict]) -> list[Table]:
    """How the differences go with people's height, mass and strength."""
    told = [row for row in rows if row["ranks"]]
    lines = [
        (f"{row['side']} against {row['against']}", *(_rank(row["ranks"].get(trait)) for trait in TRAITS))
        for row in told
    ]
    title = "Rank correlation of the difference in percent with"
    return [Table(("", *TRAITS.values()), lines, title, one_line=True)] if told else []


def _rank(told: dict | None) -> str:
    if told is None:
        return NONE
    return number(told["r"]) if told["low"] is None else f"{told['r']:.2f} [{told['low']:.2f}, {told['high']:.2f}]"
