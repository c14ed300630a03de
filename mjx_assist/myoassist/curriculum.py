"""Their curricula over shares of a run as schedules over its control steps."""

from typing import Any

from mjx_assist.myoassist.sheet import Sheet
from mjx_assist.myoassist.vocabulary import WEIGHTS

_BLOCKS = ("qpos_imitation_rewards", "qvel_imitation_rewards")
_NO_END = 1e3  # rad: an out_of_trajectory_threshold that nothing passes


def put_curriculum(sheet: Sheet, env: dict[str, Any], total: float) -> None:
    """``total``: control steps of the run."""
    steps: dict[str, list[list[float]]] = {}
    _speeds(sheet, env, total, steps)
    _rewards(sheet, env, total, steps)
    if steps:
        sheet.put("env_params.curriculum", {"by_step": steps})


def _speeds(sheet: Sheet, env: dict[str, Any], total: float, steps: dict[str, list[list[float]]]) -> None:
    start, share = env["curriculum_start_velocity"], env["curriculum_fraction"]
    key = "env_params.curriculum_start_velocity, curriculum_fraction"
    if start <= 0:
        sheet.ignore(key, [start, share], "0 is no curriculum")
        return
    for name in ("min_target_velocity", "max_target_velocity"):
        steps[name] = [[0.0, start], [share * total, env[name]]]
    sheet.say(key, [start, share], f"curriculum.by_step of the speeds, over {share * total:,.0f} control steps")


def _rewards(sheet: Sheet, env: dict[str, Any], total: float, steps: dict[str, list[list[float]]]) -> None:
    ramps = env["reward_curriculum"]
    first, last = (env[f"reward_curriculum_{end}"] * total for end in ("start", "end"))
    key = "env_params.reward_curriculum"
    weights = sheet.ours["env_params"][WEIGHTS]
    for name, (begin, end) in ramps.items():
        here = {"muscle_activation_penalty": "muscle_activation_mean_penalty"}.get(name, name)
        here = here if here in weights else name
        base = weights.get(here)
        if base is None or not (any(base.values()) if isinstance(base, dict) else base):
            sheet.ignore(f"{key}.{name}", [begin, end], "of a term of weight 0")
            continue
        factor = 1.0 if isinstance(base, dict) else base  # a block's weights are multiplied by its schedule
        steps[f"{WEIGHTS}.{here}"] = [[first, begin * factor], [last, end * factor]]
        sheet.say(f"{key}.{name}", [begin, end], f"curriculum.by_step, {first:,.0f} to {last:,.0f} control steps")
    if not ramps:
        sheet.ignore(key, ramps, "none")
    elif ramps.get(_BLOCKS[0], [1.0, 1.0])[1] == 0:
        # There nobody is ended for leaving a reference that nobody is paid to follow.
        steps["out_of_trajectory_threshold"] = [[last, env["out_of_trajectory_threshold"]], [last + 1.0, _NO_END]]
        told = "from there on no episode ends for it"
        sheet.say(f"{key} (ends of episodes)", "fixed there", f"out_of_trajectory_threshold = {_NO_END:g}; {told}")
