"""Metabolic power of muscles after Umberger (2010): one function for a gait record and for a reward, NumPy and JAX.

Signs and units: lengthening positive, W, kg; the resting rate of the body is not in it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mjx_assist.model.muscles.fibres import Fibres, force_length, force_velocity

# Pa: what the leg muscles' maximum forces were set with (Rajagopal et al. 2016, IEEE TBME 63:2068), so their masses are
# those of measured muscles. Umberger (2003) has 0.25 MPa, with which the same legs would weigh 2.4 times as much.
SPECIFIC_TENSION = 0.6e6
DENSITY = 1059.7  # kg/m^3, muscle (Mendez & Keys 1960)
AEROBIC = 1.5  # Umberger's scaling S of the heat rates of primarily aerobic activities (2003)
MIN_HEAT_W_PER_KG = 1.0  # of muscle mass: Umberger's heat rate never falls below it (2003, p. 104)
# Widths of the smooth switches: excitation over activation, fibre length (optimal lengths), velocity (optimal lengths
# per s), heat (W/kg). Small beside what a working muscle shows, so that a silent one costs hardly more than it should.
_WIDTHS = {"drive": 0.002, "length": 0.02, "velocity": 0.02, "heat": 0.2}
# Share of slow-twitch fibres by the beginning of a muscle's name (Uchida et al. 2016, PLoS ONE 11:e0150378, from
# Johnson et al. 1973, J Neurol Sci 18:111); a muscle group has its members' mean, what nobody measured one half.
SLOW_TWITCH = {
    **{"soleus": 0.803, "gastroc": 0.537, "gasmed": 0.566, "gaslat": 0.507, "tibant": 0.70, "tibpost": 0.60},
    **{"edl": 0.75, "ehl": 0.75, "fdl": 0.60, "fhl": 0.60, "per": 0.60, "vasti": 0.50, "vasmed": 0.503},
    **{"vasint": 0.543, "vaslat": 0.455, "rectfem": 0.387, "recfem": 0.387, "hamstrings": 0.487, "semimem": 0.493},
    **{"semiten": 0.425, "bflh": 0.543, "bifemsh": 0.529, "bfsh": 0.529, "glutmax": 0.55, "gl": 0.55, "abd": 0.55},
    "addmag": 0.552,
}


def slow_twitch(muscle_names: Sequence[str]) -> np.ndarray:
    """[M] share 0..1 of slow-twitch fibres, by the longest beginning of each name in SLOW_TWITCH, else 0.5."""
    found = [[part for part in SLOW_TWITCH if name.startswith(part)] for name in muscle_names]
    return np.array([SLOW_TWITCH[max(parts, key=len)] if parts else 0.5 for parts in found])


def muscle_mass(max_force: np.ndarray, optimal_length: np.ndarray) -> np.ndarray:
    """[M] kg: cross-section (force over specific tension) by optimal length by density (Umberger et al. 2003)."""
    return max_force / SPECIFIC_TENSION * optimal_length * DENSITY


def umberger2010(
    excitation, activation, length, velocity, max_velocity, active_force, isometric, optimal, mass, slow,
    xp: Any = np, smooth: bool = False,
):  # fmt: skip
    """W that each muscle takes, after Umberger (2010), J R Soc Interface 7:1329.

    All broadcast to [T, M]: excitation, activation 0..1; fibre ``length`` in optimal lengths; ``velocity`` and
    ``max_velocity`` (of fast fibres) in optimal lengths per s, lengthening positive; active_force N; ``isometric``
    the active force-length factor 0..1; ``optimal`` length m; mass kg; ``slow`` share of slow fibres.

    Rates per kg of muscle from Umberger, Gerritsen & Martin (2003), Comput Methods Biomech Biomed Engin 6:99, pp.
    101-104: heat of activation and maintenance (128 fast + 25) A^0.6 S; of shortening -(a_slow v slow + a_fast v fast)
    A^2 S with a_slow = 100 / (max / 2.5), a_fast = 153 / max, the slow part at most 100; A = u while u > a, else
    (u + a) / 2; beyond the optimal length ``isometric`` scales the heat of movement and 60 % of the other; heat is at
    least 1. Work is F v in shortening. As revised in 2010, the heat of lengthening is 0.3 a_slow v A S (2003: 4 a_slow
    v A S) and the work that a lengthening fibre absorbs is left out (2003: subtracted), so power is never negative.

    ``smooth``: no kinks, for a reward or an optimisation. Each max(x, 0) becomes (x + sqrt(x^2 + w^2)) / 2, which is
    never lower and at most w / 2 higher (w in `_WIDTHS`); the switch at the optimal length is (1 + tanh(x / w)) / 2.
    """

    def above(x: Any, width: str) -> Any:
        """max(x, 0)."""
        return 0.5 * (x + xp.sqrt(x**2 + _WIDTHS[width] ** 2)) if smooth else xp.maximum(x, 0)

    def beyond_optimal(factor: Any) -> Any:
        """``factor`` where the fibre is longer than its best, else 1."""
        share = 0.5 + 0.5 * xp.tanh((length - 1) / _WIDTHS["length"]) if smooth else length > 1
        return 1.0 + share * (factor - 1.0)

    drive = 0.5 * (excitation + activation + above(excitation - activation, "drive"))
    fast = 1 - slow
    maintenance = (128 * fast + 25) * drive**0.6 * AEROBIC * beyond_optimal(0.4 + 0.6 * isometric)
    shortening, lengthening = above(-velocity, "velocity"), above(velocity, "velocity")
    slow_rate = 100 * 2.5 / max_velocity
    slow_heat = 100 - above(100 - slow_rate * shortening, "heat")
    heat_short = slow * slow_heat + fast * 153 / max_velocity * shortening
    heat_long = 0.3 * slow_rate * lengthening
    movement = (heat_short * drive**2 + heat_long * drive) * AEROBIC * beyond_optimal(isometric)
    heat = MIN_HEAT_W_PER_KG + above(maintenance + movement - MIN_HEAT_W_PER_KG, "heat")
    return heat * mass + active_force * shortening * optimal


def power_of_state(
    muscles: Fibres, slow: np.ndarray, excitation: Any, activation: Any, length: Any, velocity: Any,
    strength: Any = 1.0, xp: Any = np, smooth: bool = True,
) -> Any:  # fmt: skip
    """W ``[..., M]`` by `umberger2010` from path ``length`` m and ``velocity`` m/s of MuJoCo's muscles.

    ``strength``: factor on their maximum forces, and so on their masses.
    """
    fibre = (length - muscles.tendon_length) / muscles.optimal_length
    speed = velocity / muscles.optimal_length
    isometric = force_length(fibre, muscles.shortest, muscles.longest, xp)
    full = strength * muscles.max_force
    force = activation * full * isometric * force_velocity(speed / muscles.max_velocity, muscles.eccentric, xp)
    mass, optimal = muscle_mass(full, muscles.optimal_length), muscles.optimal_length
    top = muscles.max_velocity
    return umberger2010(
        excitation, activation, fibre, speed, top, force, isometric, optimal, mass, slow, xp=xp, smooth=smooth
    )
