"""The verdict on a gait: every rule's answer over the facts of one walker, and a sentence on all of them.

The rules are data, in rules.py. Nothing here measures, draws or writes."""

import dataclasses
from collections.abc import Sequence

from mjx_assist.eval.report.verdict.rules import FAIR, GOOD, POOR, RULES, UNKNOWN, Rule

# Asked of every gait, also of one whose record cannot tell.
GAIT_RULES = ("walks", "speed", *(rule.key for rule in RULES if rule.about))


@dataclasses.dataclass(frozen=True)
class Finding:
    """A rule's answer: its mark and a plain sentence."""

    rule: Rule
    mark: str
    sentence: str


def judge(facts: dict) -> list[Finding]:
    """Every rule's answer; a rule whose fact is missing is left out unless it is about the gait itself."""
    findings, alike = [], facts.get("prosthetic_side") is None
    for rule in RULES:
        if rule.alike not in (None, alike):
            continue
        mark = rule.mark(facts.get(rule.fact))
        if mark == UNKNOWN:
            if rule.key in GAIT_RULES:
                findings.append(Finding(rule, UNKNOWN, "Cannot be told: too few strides or figures."))
            continue
        findings.append(Finding(rule, mark, rule.says[(GOOD, FAIR, POOR).index(mark)].format(**facts)))
    return findings


def overall(findings: Sequence[Finding]) -> str:
    """One sentence on the gait and one on the device."""
    marks = {finding.rule.key: finding.mark for finding in findings}

    def which(mark: str) -> list[str]:
        return [rule.about for rule in RULES if rule.about and marks.get(rule.key) == mark]

    if marks["walks"] == UNKNOWN:
        return "Too short to tell whether it walks: no complete stride."
    if marks["walks"] == POOR:
        gait = "It falls."
    elif which(POOR):
        gait = f"It walks, but {_and(which(POOR))} not healthy."
    elif which(FAIR):
        gait = f"It walks, and {_and(which(FAIR))} nearly healthy; the rest is."
    elif which(UNKNOWN):
        gait = f"It walks; whether {_and(which(UNKNOWN))} healthy cannot be told."
    else:
        gait = "It walks like healthy people."
    if marks["walks"] != POOR and marks.get("speed") == POOR:
        gait += " It does not keep the speed asked."
    return f"{gait} {_device_sentence(marks)}".strip()


def _and(phrases: Sequence[str]) -> str:
    """Such as "joint angles and ground reaction are"."""
    words = " and ".join(filter(None, (", ".join(phrases[:-1]), phrases[-1])))
    return words + (" are" if len(phrases) > 1 or phrases[0].endswith("s") else " is")


def _device_sentence(marks: dict[str, str]) -> str:
    """Whether the device helps, by metabolic cost where there is a comparison, else by the work it gives."""
    if "metabolic" in marks:
        return {
            GOOD: "The device helps: walking costs less than with zero torque.",
            FAIR: "The device makes no clear difference to the cost of walking.",
            POOR: "The device hinders: walking costs more than with zero torque.",
        }[marks["metabolic"]]
    return {
        GOOD: "The device gives work.",
        FAIR: "The device hardly gives work.",
        POOR: "The device brakes: it takes more work than it gives.",
    }.get(marks.get("device", UNKNOWN), "")
