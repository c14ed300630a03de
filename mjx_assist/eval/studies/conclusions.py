"""What a study found, in sentences, and what a reader must know before believing it; from the data of study.json."""

from collections.abc import Callable, Sequence

POWER, COST = "_muscle_power_w_per_kg", "_cost_of_transport_j_per_kg_m"  # ends of figures' names; before: the model's
KEY_MODEL = "umberger2010"
SATURATED = 0.01  # of the time at the torque limit: more than this is told
_FIGURES = {KEY_MODEL + POWER: "muscle power", KEY_MODEL + COST: "cost of transport"}


def findings(result: dict) -> list[str]:
    """A sentence for each pair of sides and physics: power and cost of transport, by Umberger."""
    found = []
    pairs = dict.fromkeys((row["side"], row["against"]) for row in result["differences"])
    for side, against in pairs:
        for physics in result["physics"]:
            rows = _pair(result, side, against, physics)
            parts = [_part(name, rows[figure]) for figure, name in _FIGURES.items() if figure in rows]
            if parts:
                place = f"at {result['at_speed_m_s']:g} m/s ({physics})"
                found.append(f"{side} against {against} {place}: {'; '.join(parts)} (Umberger 2010).")
    return found


def sure(row: dict) -> bool | None:
    """Whether the interval of a difference leaves out zero; None without limits."""
    if row["difference_low"] is None:
        return None
    return row["difference_low"] * row["difference_high"] > 0


def notes(result: dict) -> list[str]:
    """What a reader must know; the gravest first."""
    return [
        *_few(result),
        *_without_cost(result),
        *_physics(result),
        *_trained(result),
        *_falls(result),
        *_saturation(result),
        *_device_off(result),
    ]


def _part(name: str, row: dict) -> str:
    if row["percent"] is None:
        return f"{name} cannot be compared"
    text = f"{name} {row['percent']:+.1f} %"
    if row["percent_low"] is not None:
        text += f" [{row['percent_low']:+.1f}, {row['percent_high']:+.1f}]"
    counted = _counted(row)
    certain = {None: ", no interval", False: ", no certain difference", True: ""}[sure(row)]
    return f"{text}{certain}, {counted}"


def _counted(row: dict) -> str:
    """Over how many a difference is."""
    if "people" not in row:
        return f"{row['trainings']} against {row['trainings_against']} trainings"
    told = f"{row['people']} people, {row['less']} of whom spend less"
    if row["over_trainings_low"] is None:
        return told
    return f"{told} ({row['surely_less']} surely, {row['surely_more']} surely more)"


def _few(result: dict) -> list[str]:
    if result["people"]:
        return _few_people(result)
    single = [side["side"] for side in result["sides"] if side["trainings"] == 1]
    found = []
    if single:
        found.append(
            f"One training only: {', '.join(single)}. There is no interval over trainings: what differs may be the "
            "luck of one training, and says nothing about people or other trainings."
        )
    few = [side["side"] for side in result["sides"] if 1 < side["trainings"] < 5]
    if few:
        found.append(f"Fewer than five trainings: {', '.join(few)}. The intervals are wide, as they must be.")
    return found


def _few_people(result: dict) -> list[str]:
    """What the numbers of people and of their trainings cannot tell, and who is not compared."""
    found, count = [], len(result["people"])
    if count == 1:
        found.append("One person only: there is no interval over people, and what differs says nothing about others.")
    elif count < 5:
        found.append(f"Only {count} people. The intervals over people are wide, as they must be.")
    if all(side["trainings"] <= count for side in result["sides"]):
        found.append(
            "One training a person and side: who gains cannot be told from the luck of a training; the interval over "
            "people holds that luck, and stands."
        )
    figure = KEY_MODEL + COST
    for row in result["differences"]:
        if row["figure"] == figure and row["left_out"]:
            found.append(
                f"{row['side']} against {row['against']}, {row['physics']}: left out, for no cost on one of the sides: "
                f"{', '.join(row['left_out'])}. If they differ from the others, the mean over people does not hold "
                "for all."
            )
    return found


def _without_cost(result: dict) -> list[str]:
    """Policies that count for nothing since they never held the speed."""

    def why(row: dict) -> str | None:
        if row["figures"].get(KEY_MODEL + COST) is not None:
            return None
        return "reached {:.2f} to {:.2f} m/s".format(*row["speeds_m_s"]) if row["speeds_m_s"] else "always fell"

    text = f"no cost at {result['at_speed_m_s']:g} m/s"
    more = "They do not count: walk at speeds around the ones reached too, or train on."
    return [f"{place}: {text}: {told}. {more}" for place, told in _by_place(result, why).items()]


def _physics(result: dict) -> list[str]:
    """Pairs whose difference depends on the physics."""
    found = []
    figure = KEY_MODEL + COST
    for side, against in dict.fromkeys((row["side"], row["against"]) for row in result["differences"]):
        rows = {p: _pair(result, side, against, p).get(figure) for p in result["physics"]}
        told = {p: row["percent"] for p, row in rows.items() if row and row["percent"] is not None}
        if len(told) > 1 and min(told.values()) * max(told.values()) < 0:
            values = ", ".join(f"{value:+.1f} % ({p})" for p, value in told.items())
            found.append(f"{side} against {against}: whether it costs less depends on the physics: {values}.")
    return found


def _trained(result: dict) -> list[str]:
    found = []
    rates = {tuple(side["trained_physics_hz"]) for side in result["sides"]}
    if len(rates) > 1 or any(len(rate) > 1 for rate in rates):
        told = "; ".join(f"{s['side']} at {_listed(s['trained_physics_hz'])} Hz" for s in result["sides"])
        found.append(f"Trained at different physics rates ({told}): compare them at one and the same rate.")
    humans = {side["human"] for side in result["sides"]}
    if len(humans) > 1:
        found.append(f"The sides are different humans: {', '.join(sorted(humans))}.")
    for side in result["sides"]:
        low, high = side["trained_speeds_m_s"]
        outside = [v for v in result["speeds_asked_m_s"] if not low - 1e-9 <= v <= high + 1e-9]
        if outside:
            trained = f"{low:g} m/s" if low >= high else f"{low:g} to {high:g} m/s"
            found.append(f"{side['side']}: {_listed(outside)} m/s is outside what it was trained for ({trained}).")
    return found


def _falls(result: dict) -> list[str]:
    def where(row: dict) -> str | None:
        count = f"{row['falls']} of {row['walks']} walks, asked {_listed(row['fell_at_m_s'])} m/s"
        return count if row["falls"] else None

    more = "Walks that fell do not count in a cost."
    return [f"{place}: falls: {told}. {more}" for place, told in _by_place(result, where).items()]


def _saturation(result: dict) -> list[str]:
    def share(row: dict) -> str | None:
        shares = [joint["time_at_limit_share"] or 0.0 for joint in row["device"]]
        return f"{100 * max(shares):.0f} % of the time" if max(shares, default=0.0) > SATURATED else None

    return [f"{place}: the device is at its torque limit: {t}." for place, t in _by_place(result, share).items()]


def _device_off(result: dict) -> list[str]:
    def falls(row: dict) -> str | None:
        off = row["device_off"]
        return f"{off['falls']} of {off['walks']}" if off and off["falls"] else None

    begin, end = result["device_off_s"]
    text = f"falls within {end - begin:g} s of the device going off"
    return [f"{place}: {text}: {told}." for place, told in _by_place(result, falls).items()]


def _by_place(result: dict, tell: Callable[[dict], str | None]) -> dict[str, str]:
    """Side and physics -> what is to be told of the trainings there, one after the other."""
    found: dict[str, list[str]] = {}
    for row in result["policies"]:
        if told := tell(row):
            found.setdefault(f"{row['side']}, {row['physics']}", []).append(f"{row['policy']} ({told})")
    return {place: ", ".join(parts) for place, parts in found.items()}


def _pair(result: dict, side: str, against: str, physics: str) -> dict[str, dict]:
    """Figure -> the row of differences."""
    place = (side, against, physics)
    return {r["figure"]: r for r in result["differences"] if (r["side"], r["against"], r["physics"]) == place}


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
