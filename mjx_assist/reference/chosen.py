"""The reference gait that a config asks for."""

import mujoco

from mjx_assist.config.schema import EnvParams
from mjx_assist.reference import cycle, healthy
from mjx_assist.reference.motion import load_motion
from mjx_assist.reference.standing import with_standing


def chosen_gait(params: EnvParams, model: mujoco.MjModel) -> cycle.ReferenceGait:
    """Of a user's file or published, at all its speeds or at the one that is asked; with standing where walks begin
    and end so. Raises UserError as those do."""
    own = params.reference_data_path
    gait = healthy.healthy_gait(model) if own is None else load_motion(own, model)
    gait = gait if params.reference_speed is None else cycle.at_speed(gait, params.reference_speed)
    return with_standing(gait, model) if params.standing_share else gait
