"""What `--subject` chooses for a policy that was trained for a cohort: one of its people, or somebody else."""

import dataclasses

from mjx_assist.config.people import PART_MARK, read_subject
from mjx_assist.config.read import from_dict, to_dict
from mjx_assist.errors import UserError, note, unknown
from mjx_assist.model import person
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.model.mjcf import with_physics_rate
from mjx_assist.model.reduction import reduce_model
from mjx_assist.policy.bundle import Bundle
from mjx_assist.reference.chosen import chosen_gait
from mjx_assist.sim.observation import spec_of


def being(bundle: Bundle, who: str) -> Bundle:
    """The policy as somebody: their model, reference gait, and what is seen of them. ``who``: a name of the cohort, or
    a file (``cohort.json#S03``). Who is beyond the people of the training is told.

    Raises:
        UserError: a policy of one body; nobody of that name, no such file, somebody who cannot be.
    """
    config = bundle.config
    cohort = config.env_params.cohort
    if not cohort:
        raise UserError("--subject: this policy was trained for one body; train one for env_params.cohort.")
    tree = to_dict(config)
    if who in cohort:
        tree["env_params"]["subject"] = tree["env_params"]["cohort"][who]
    elif PART_MARK in who or who.endswith((".json", ".csv")):
        tree["env_params"]["subject"] = read_subject(who)
    else:
        raise unknown("--subject (a name of the policy's cohort, or a file)", who, cohort)
    config = from_dict(tree)
    env = config.env_params
    reduced = reduce_model(env.human, env.device_key or NO_DEVICE)
    _tell_beyond(bundle, env.human)
    return dataclasses.replace(
        bundle,
        config=config,
        xml=with_physics_rate(reduced.xml, env.physics_sim_framerate),
        coupling=reduced.coupling,
        gait=chosen_gait(env, reduced.model),
        observation=spec_of(reduced.model, env),
    )


def _tell_beyond(bundle: Bundle, human: str) -> None:
    env = bundle.config.env_params
    own = person.figures(human)
    known = [person.figures(dataclasses.replace(env, subject=subject).human) for subject in env.cohort.values()]
    for figure, unit in (("height_m", "m"), ("mass_kg", "kg")):
        low, high = (pick(each[figure] for each in known) for pick in (min, max))
        if not low - 1e-6 <= own[figure] <= high + 1e-6:
            told = f"{figure.partition('_')[0]} of {own[figure]:.3g} {unit}"
            note(f"note: --subject: a {told} is beyond the cohort's, {low:.3g} to {high:.3g} {unit}.")
