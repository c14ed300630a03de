"""Their PPO, which is Stable-Baselines3's, in our words."""

from typing import Any

from mjx_assist.myoassist.sheet import Sheet

_SAME = (
    *("learning_rate", "n_steps", "n_epochs", "gamma", "gae_lambda", "clip_range", "ent_coef", "vf_coef"),
    "max_grad_norm",
)
_EARLY_STOP = 1.5  # of target_kl, in Stable-Baselines3
_ADAM_EPSILON = 1e-8  # PyTorch's


def put_ppo(sheet: Sheet, ppo: dict[str, Any], num_envs: int, actuators: int, starts_fresh: bool) -> None:
    """``actuators``: how many actions there are; ``starts_fresh``: not from a trained policy."""
    for key in _SAME:
        sheet.take(f"ppo_params.{key}", ppo[key], f"ppo_params.{key}")
    _put_batch(sheet, ppo, num_envs)
    clip = ppo["clip_range_vf"] or 0.0
    sheet.take("ppo_params.clip_range_vf", ppo["clip_range_vf"], "ppo_params.clip_range_vf", clip)
    target = ppo["target_kl"] or 0.0
    sheet.put("ppo_params.target_kl", 0.0)
    told = "the rate stays constant; an update ends once its KL is past that"
    sheet.take(
        "ppo_params.target_kl", ppo["target_kl"], "ppo_params.max_kl", _EARLY_STOP * target, told if target else ""
    )
    sheet.put("ppo_params.adam_epsilon", _ADAM_EPSILON)
    if ppo["use_sde"]:
        sheet.refuse("ppo_params.use_sde", True, "exploration that depends on the state is not there")
    else:
        sheet.ignore("ppo_params.use_sde", False, "off")
    sheet.ignore("ppo_params.sde_sample_freq", ppo["sde_sample_freq"], "of use_sde")
    sheet.ignore("ppo_params.device", ppo["device"], "JAX takes the accelerator there is, see env_params.backend")
    mirror = ppo["mirror_coef"]
    if mirror and not starts_fresh:
        sheet.ignore("ppo_params.mirror_coef", mirror, "nor there, in a run that starts from a trained policy")
    elif mirror:
        coef = mirror / max(actuators, 1)
        told = f"of a sum over {actuators} actions, there a mean; in Adam's same step, there in one of its own"
        sheet.take("ppo_params.mirror_coef", mirror, "ppo_params.mirror_loss_coef", coef, told)
    else:
        sheet.ignore("ppo_params.mirror_coef", mirror, "off")


def _put_batch(sheet: Sheet, ppo: dict[str, Any], num_envs: int) -> None:
    rollout, asked = num_envs * ppo["n_steps"], ppo["batch_size"]
    if asked > rollout:
        size, told = rollout, f"a rollout has {rollout} samples"
    else:
        divisors = [n for n in range(1, rollout + 1) if rollout % n == 0]
        size = min(divisors, key=lambda n: abs(n - asked))
        told = (
            "" if size == asked else f"here it divides the rollout's {rollout} samples; there the last one is shorter"
        )
    sheet.take("ppo_params.batch_size", asked, "ppo_params.batch_size", size, told)
