"""The verdict's rules: questions with thresholds, words and published sources. Data over the facts of facts.py."""

import dataclasses

import numpy as np

GOOD, FAIR, POOR, UNKNOWN = "good", "fair", "poor", "unknown"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One question: a fact up to ``good`` is good, up to ``fair`` fair (from there down, where good > fair).

    ``says``: the sentence for each of good, fair and poor, a format string over the facts; ``bound``: the rule in
    words; ``source``: who published the figures behind it; ``about``: what a sentence on the whole gait calls it, empty
    for a question that is not about how healthy the gait is. ``alike``: it is asked of bodies whose legs are alike
    (True), of those with one prosthesis (False), or of all (None).
    """

    key: str
    question: str
    fact: str
    good: float
    fair: float
    says: tuple[str, str, str]
    bound: str
    source: str
    about: str = ""
    alike: bool | None = None

    def mark(self, value: float | None) -> str:
        """GOOD, FAIR, POOR, or UNKNOWN for None and NaN."""
        if value is None or not np.isfinite(value):
            return UNKNOWN
        way = 1 if self.good <= self.fair else -1
        return GOOD if way * value <= way * self.good else FAIR if way * value <= way * self.fair else POOR


def _asked(key, question, fact, good, fair, sentence, bound, source, about="", alike=None) -> Rule:
    """A rule that answers yes, nearly or no and then says the same whatever the answer."""
    says = (f"Yes: {sentence}", f"Nearly: {sentence}", f"No: {sentence}")
    return Rule(key, question, fact, good, fair, says, bound, source, about, alike)


_SCHWARTZ = "Schwartz et al. 2008, J Biomech 41:1639"
_FELL = "fell in {falls:.0f} of {episodes:.0f} episodes, the first time after {first_fall_s:.1f} s."
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
            f"Mostly: {_FELL}",
            f"No: {_FELL}",
        ),
        "no fall; up to 10 % of episodes is fair",
        "what was asked of it",
    ),
    _asked(
        "speed",
        "Speed as asked?",
        "speed_error_m_s",
        0.05,
        0.10,
        "{speed_m_s:.2f} m/s, asked {speed_asked_m_s:.2f}.",
        "within 0.05 m/s, the smallest change that matters to people; 0.10 m/s is a substantial one",
        "Perera et al. 2006, J Am Geriatr Soc 54:743",
    ),
    _asked(
        "kinematics",
        "Joint angles healthy?",
        "gps_excess_deg",
        1.6,
        3.2,
        "joint angles are {gps_deg:.1f}° from the healthy mean (gait profile score); healthy people are about "
        "{gps_healthy_deg:.1f}° from it. Farthest: {worst_angle} ({worst_angle_deg:.1f}°).",
        "gait profile score at most 1.6° above healthy people's, the smallest difference that matters; 3.2° is fair",
        f"Baker et al. 2009, Gait Posture 30:265; Baker et al. 2012, Gait Posture 35:612; bands: {_SCHWARTZ}",
        "its joint angles",
    ),
    _asked(
        "shape",
        "Joints move alike?",
        "shape_worst_r",
        0.95,
        0.90,
        "the correlation with the healthy angle is lowest at the {shape_worst}: r = {shape_worst_r:.2f}.",
        "hip, knee and ankle of either leg correlate with the healthy mean by 0.95 or more; 0.90 is fair",
        f"repeatability of adults' own curves: Kadaba et al. 1989, J Orthop Res 7:849; {_SCHWARTZ}",
        "the shape of its joint angles",
    ),
    _asked(
        "posture",
        "Posture healthy?",
        "angle_worst_sd",
        1.65,
        1.96,
        "farthest from the healthy mean is the {angle_farthest}: {angle_worst_sd:.2f} SD over the cycle (root mean "
        "square; the mean healthy person is 1).",
        "hip, knee, ankle and pelvis of either leg within 1.65 SD of the healthy mean, as nine of ten people are; 1.96 "
        "SD, as 95 % are, is fair",
        _SCHWARTZ,
        "its posture",
    ),
    _asked(
        "moments",
        "Joint moments healthy?",
        "moment_within_percent",
        95.0,
        85.0,
        "the {moment_worst} is within 2 SD of the healthy mean for {moment_within_percent:.0f} % of the cycle, the "
        "others for no less.",
        "hip, knee and ankle of either leg, passive structures included, within 2 SD of the healthy mean for 95 % of "
        "the cycle; 85 % is fair",
        _SCHWARTZ,
        "its joint moments",
    ),
    _asked(
        "spikes",
        "No spikes in joint moments?",
        "moment_spike_sd",
        3.0,
        4.0,
        "at its farthest place the {moment_spike} is {moment_spike_sd:.1f} SD from the healthy mean.",
        "hip, knee and ankle of either leg nowhere more than 3 SD (root mean square over the cycle) from the healthy "
        "mean; 4 is fair",
        _SCHWARTZ,
        "the spikes in its joint moments",
    ),
    _asked(
        "stops",
        "Free of joint stops?",
        "stop_peak_nm_per_kg",
        0.1,
        0.2,
        "the {stop_joint}'s limit bears {stop_peak_nm:.0f} N·m ({stop_peak_nm_per_kg:.2f} N·m/kg) at its peak in a "
        "stride, the others' no more.",
        "limits of hip, knee and ankle bear at most 0.1 N·m/kg in a stride, 0.2 is fair: what holds people's joints in "
        "walking is muscle and tendon that stretch, and no stop",
        "Whittington et al. 2008, Gait Posture 27:628",
        "its load on joint stops",
    ),
    _asked(
        "powers",
        "Joint powers healthy?",
        "power_worst_off_w_per_kg",
        0.25,
        0.5,
        "farthest from healthy is the {power_worst}: positive work {power_worst_w_per_kg:.2f} W/kg, both legs; "
        "people's {power_worst_healthy_w_per_kg:.2f}.",
        "positive work of hip, knee and ankle, both legs, within 0.25 W/kg of the healthy mean curve's, 0.5 is fair: "
        "at muscle's efficiency of 25 % that is 1 W/kg of metabolic power",
        f"{_SCHWARTZ}; efficiency: Margaria 1968, Int Z angew Physiol 25:339",
        "its joint powers",
    ),
    _asked(
        "calf",
        "Calf carries mid-stance?",
        "calf_moment_short_sd",
        1.0,
        2.0,
        "the plantarflexing moment at 30 % of the cycle is {calf_moment_nm_per_kg:.2f} N·m/kg; people's "
        "{calf_moment_healthy_nm_per_kg:.2f} ± {calf_moment_healthy_sd_nm_per_kg:.2f}.",
        "plantarflexing moment at 30 % of the cycle, in either leg, at most 1 SD below the healthy mean; 2 SD is fair",
        _SCHWARTZ,
        "its calf's work in mid-stance",
    ),
    _asked(
        "ground",
        "Ground reaction healthy?",
        "grf_worst_sd",
        2.0,
        3.0,
        "vertical {grf_loading_bw:.2f}, {grf_valley_bw:.2f} and {grf_push_off_bw:.2f} BW. Farthest from healthy: "
        "{worst_peak}, {worst_peak_bw:.2f} BW, healthy {worst_peak_healthy_bw:.2f} ± {worst_peak_sd_bw:.2f}.",
        "peaks and valley of the averaged force (20 Hz) of either leg, vertical and fore-aft, within 2 SD of the "
        "healthy mean's, which holds 95 % of people; 3 SD is fair",
        _SCHWARTZ,
        "its ground reaction",
    ),
    _asked(
        "pressure",
        "Centre of pressure goes forward?",
        "pressure_backward_mm",
        5.0,
        15.0,
        "it comes back by {pressure_backward_mm:.0f} mm along the ground, from where the flat foot stands.",
        "in no leg back by more than 5 mm along the ground (mean of the stances), 15 mm is fair: people's goes from "
        "heel to toe",
        "Chiu, Wu & Chang 2013, Gait Posture 37:43",
        "its centre of pressure",
    ),
    _asked(
        "landing",
        "Foot comes down softly?",
        "foot_drop_ratio",
        2.5,
        4.0,
        "after contact the ankle plantarflexes at up to {foot_drop_deg_per_s:.0f}°/s; the healthy mean curve at "
        "{foot_drop_healthy_deg_per_s:.0f}.",
        "plantarflexion up to 15 % of the cycle, in either leg, at most 2.5 times as fast as the healthy mean curve's "
        "(a person's own is steeper than a mean); 4 times is fair, beyond it the foot slaps",
        _SCHWARTZ,
        "its landing",
    ),
    _asked(
        "timing",
        "Muscles on when people's are?",
        "timing_worst_percent",
        80.0,
        70.0,
        "least alike is the {timing_muscle}: on {timing_on}, people's {timing_published_on}; both on or both off for "
        "{timing_worst_percent:.0f} % of the cycle.",
        "each of calf, shin, thigh and hip muscles, in either leg, agrees with when EMG is on for 80 % of the cycle "
        "(both ends within a tenth of it); 70 % is fair",
        "Perry 1992; Perry & Burnfield 2010",
        "its muscles' timing",
    ),
    _asked(
        "level",
        "Pays what people pay?",
        "muscle_power_off_w_per_kg",
        0.35,
        1.0,
        "{muscle_power_w_per_kg:.1f} W/kg beyond standing, of the person without the device (mean of Umberger 2010 and "
        "Bhargava 2004); people take {people_low_w_per_kg:.1f} to {people_high_w_per_kg:.1f} at this speed.",
        "metabolic power at most 0.35 W/kg (the half of people's range) out of it; 1 W/kg is fair",
        "Ralston 1958, Int Z angew Physiol 17:277; Farris & Sawicki 2012, J R Soc Interface 9:110",
        "its metabolic power",
    ),
    _asked(
        "symmetry",
        "Symmetric?",
        "asymmetry_percent",
        12.0,
        16.0,
        "largest left-right difference {asymmetry_percent:.0f} % ({asymmetry_of}).",
        "symmetry index at most 12 %, fair up to 16 %: healthy people stay within 12 to 16 %",
        "Robinson, Herzog & Nigg 1987, J Manip Physiol Ther 10:172; Jelen et al. 2008, Dyn Med 7:17",
        "its symmetry",
        alike=True,
    ),
    _asked(
        "sharing",
        "Legs share as people's with a prosthesis?",
        "sharing_off_sd",
        2.0,
        3.0,
        "prosthetic ({prosthetic_side}) over sound side: step length {step_ratio:.2f}, stance time {stance_ratio:.2f}; "
        "people's 0.97 ± 0.06, 0.96 ± 0.03. The sound limb's first peak is {sound_first_peak_bw:.2f} BW; push-off work "
        "{sound_push_off_j_per_kg:.2f} J/kg there, {prosthetic_push_off_j_per_kg:.2f} on the prosthetic side.",
        "both within 2 SD of people's with a transtibial prosthesis at 1.22 m/s; 3 SD is fair. No symmetry is asked",
        "Prosthet Orthot Int 2022, 46:258 (20 people, energy-storing feet)",
        alike=False,
    ),
    Rule(
        "device",
        "Device gives work?",
        "device_net_w_per_kg",
        0.05,
        0.0,
        (f"Yes: {_DEVICE}", f"Hardly: {_DEVICE}", f"No, it brakes: {_DEVICE}"),
        "net power of at least 0.05 W/kg (over an apparent efficiency of 0.61: 2 % of walking's 4 W/kg); 0 is fair",
        "Sawicki & Ferris 2008, J Exp Biol 211:1402",
    ),
    Rule(
        "metabolic",
        "Device saves energy?",
        "metabolic_change_percent",
        -2.0,
        2.0,
        (f"Yes: {_COST}", f"No clear difference: {_COST}", f"No, it costs: {_COST}"),
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
            "No: falls on the unreduced model after {full_model_time_s:.1f} s; what it learned is its own model's.",
        ),
        "no fall on the unreduced model with rigid couplings",
        "what was asked of it",
    ),
)
