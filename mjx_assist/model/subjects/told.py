"""What a model itself tells of its person: a number in it, so that whoever has the model knows."""

import mujoco

LEG_SCALE = "leg_scale"  # how high the root stands, against the standard body


def leg_scale(model: mujoco.MjModel) -> float:
    """Height of the root over the ground against that of the standard body; 1 for every model of no person."""
    number = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_NUMERIC, LEG_SCALE)
    return float(model.numeric_data[model.numeric_adr[number]]) if number >= 0 else 1.0
