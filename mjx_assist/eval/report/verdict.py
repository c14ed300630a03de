"""The verdict on a gait: rules with thresholds and their published sources, and what they say of one walker.

Rules are data (RULES), over the facts of verdict_facts.py. Nothing here measures, draws or writes."""

import dataclasses
from collections.abc import Sequence

import numpy as np

GOOD, FAIR, POOR, UNKNOWN = "good", "fair", "poor", "unknown"
GAIT_RULES = ("walks", "speed", "kinematics", "moments", "ground", "symmetry")
_SHORT = {
    "kinematics": "its joint angles",
    "moments": "its joint moments",
    "ground": "its ground reaction",
    "symmetry": "its symmetry",
}


@dataclasses.dataclass(frozen=True)
class Rule:
    """One question: a fact up to ``good`` is good, up to ``fair`` fair (from there down, where good > fair).

    ``says``: the sentence for each of good, fair and poor, a format string over the facts; ``bound``: the rule in
    words; ``source``: who published the figures behind it.
    """

    key: str
    question: str
    fact: str
    good: float
    fair: float
    says: tuple[str, str, str]
    bound: str
    source: str

    def mark(self, value: float | None) -> str:
        """GOOD, FAIR, POOR, or UNKNOWN for None and NaN."""
        if value is None or not np.isfinite(value):
            return UNKNOWN
        direction = 1 if self.good <= self.fair else -1
        return (
            GOOD
            if direction * value <= direction * self.good
            else (FAIR if direction * value <= direction * self.fair else POOR)
        )


@dataclasses.dataclass(frozen=True)
class Finding:
    """A rule's answer: its mark and a plain sentence."""

    rule: Rule
    mark: str
    sentence: str


_FELL = "fell in {falls:.0f} of {episodes:.0f} episodes, the first time after {first_fall_s:.1f} s."
_SPEED = "{speed_m_s:.2f} m/s, asked {speed_asked_m_s:.2f}."
_JOINTS = (
    "joint angles are {gps_deg:.1f}° from the healthy mean (gait profile score); healthy people are about "
    "{gps_healthy_deg:.1f}° from it. Farthest: {worst_angle} ({worst_angle_deg:.1f}°)."
)
_MOMENTS = (
    "farthest from healthy: {worst_moment}, {worst_moment_nm_per_kg:.2f} N·m/kg from the healthy mean over the cycle "
    "(root mean square); healthy people are {worst_moment_healthy_nm_per_kg:.2f} from it."
)
_PEAKS = (
    "vertical peaks {grf_loading_bw:.2f} and {grf_push_off_bw:.2f} BW. Farthest from healthy: {worst_peak}, "
    "{worst_peak_bw:.2f} BW, healthy {worst_peak_healthy_bw:.2f} ± {worst_peak_sd_bw:.2f}."
)
_LEGS = "largest left-right difference {asymmetry_percent:.0f} % ({asymmetry_of})."
_DEVICE = (
    "gives {device_push_off_j_per_kg:.3f} J/kg in each push-off ({device_share_percent:.0f} % of a healthy ankle's); "
    "over a stride it gives {device_positive_w_per_kg:.3f} and takes {device_negative_w_per_kg:.3f} W/kg, both legs."
)
_COST = "the muscles' metabolic power changes by {metabolic_change_percent:+.1f} % against zero torque, same walker."
RULES = (
    Rule(
        "walks",
        "Walks?",
        "fall_percent",
        0.0,
        10.0,
        (
            "Yes: {episodes:.0f} of {episodes:.0f} episodes without a fall, {time_s:.1f} s each.",
            "Mostly: " + _FELL,
            "No: " + _FELL,
        ),
        "no fall; up to 10 % of episodes is fair",
        "what was asked of it",
    ),
    Rule(
        "speed",
        "Speed as asked?",
        "speed_error_m_s",
        0.05,
        0.10,
        ("Yes: " + _SPEED, "Nearly: " + _SPEED, "No: " + _SPEED),
        "within 0.05 m/s, the smallest change that matters to people; 0.10 m/s is a substantial one",
        "Perera et al. 2006, J Am Geriatr Soc 54:743",
    ),
    Rule(
        "kinematics",
        "Joint angles healthy?",
        "gps_excess_deg",
        1.6,
        3.2,
        ("Yes: " + _JOINTS, "Nearly: " + _JOINTS, "No: " + _JOINTS),
        "gait profile score at most 1.6° above healthy people's, the smallest difference that matters; 3.2° is fair",
        "Baker et al. 2009, Gait Posture 30:265; Baker et al. 2012, Gait Posture 35:612; bands: Schwartz et al. 2008",
    ),
    Rule(
        "moments",
        "Joint moments healthy?",
        "moment_worst_sd",
        2.0,
        3.0,
        ("Yes: " + _MOMENTS, "Nearly: " + _MOMENTS, "No: " + _MOMENTS),
        "hip, knee and ankle at most twice as far from the mean as healthy people (2 SD, 95 % of them); 3 SD is fair",
        "Schwartz et al. 2008, J Biomech 41:1639",
    ),
    Rule(
        "ground",
        "Ground reaction healthy?",
        "grf_worst_sd",
        2.0,
        3.0,
        ("Yes: " + _PEAKS, "Nearly: " + _PEAKS, "No: " + _PEAKS),
        "peaks (20 Hz), vertical and fore-aft, within 2 SD of healthy people's, which holds 95 % of them; 3 SD is fair",
        "Schwartz et al. 2008, J Biomech 41:1639",
    ),
    Rule(
        "symmetry",
        "Symmetric?",
        "asymmetry_percent",
        12.0,
        16.0,
        ("Yes: " + _LEGS, "Nearly: " + _LEGS, "No: " + _LEGS),
        "symmetry index at most 12 %, fair up to 16 %: healthy people stay within 12 to 16 %",
        "Robinson, Herzog & Nigg 1987, J Manip Physiol Ther 10:172; Jelen et al. 2008, Dyn Med 7:17",
    ),
    Rule(
        "device",
        "Device gives work?",
        "device_net_w_per_kg",
        0.05,
        0.0,
        ("Yes: " + _DEVICE, "Hardly: " + _DEVICE, "No, it brakes: " + _DEVICE),
        "net power of at least 0.05 W/kg (over an apparent efficiency of 0.61: 2 % of walking's 4 W/kg); 0 is fair",
        "Sawicki & Ferris 2008, J Exp Biol 211:1402",
    ),
    Rule(
        "metabolic",
        "Device saves energy?",
        "metabolic_change_percent",
        -2.0,
        2.0,
        ("Yes: " + _COST, "No clear difference: " + _COST, "No, it costs: " + _COST),
        "a change of more than 2 %, the standard error of a measurement on people",
        "Malcolm et al. 2013, PLoS ONE 8:e56137",
    ),
    Rule(
        "model",
        "Holds on the full model?",
        "full_model_falls",
        0.0,
        0.0,
        (
            "Yes: walks {full_model_time_s:.0f} s on the unreduced model at {full_model_speed_m_s:.2f} m/s.",
            "",
            "No: falls on the unreduced model after {full_model_time_s:.1f} s; what it learned is the reduced one's.",
        ),
        "no fall on the unreduced model with rigid couplings",
        "what was asked of it",
    ),
)


def judge(facts: dict) -> list[Finding]:
    """Every rule's answer; a rule whose fact is missing is left out unless it is about the gait itself."""
    findings = []
    for rule in RULES:
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
        return [phrase for key, phrase in _SHORT.items() if marks.get(key) == mark]

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
