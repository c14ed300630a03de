"""The words that a config's values can be; commands, records and reports use the same. It imports nothing."""

ELU, RELU, TANH = ACTIVATIONS = ("elu", "relu", "tanh")
LINEAR, _ = OUTPUT_ACTIVATIONS = ("linear", TANH)  # what follows an actor's last layer
AUTO, MJX, WARP, MUJOCO, COMPILED = BACKENDS = ("auto", "mjx", "warp", "mujoco", "compiled")
# The models that can walk: the reduced one; the full one, its couplings made rigid; the full one as assist_sim has it.
REDUCED, FULL, COMPOSED = MODEL_KINDS = ("reduced", "full", "composed")
TRAINED_KINDS = (REDUCED, COMPOSED)
ASSIST_SIM, BODY_MARK = "assist_sim", "+"  # the body that assist_sim's humans have; "myolegs22+passive" has another
LEAN_MARK = "@lean="  # rad that the trunk leans forward: "myolegs22@lean=0.26"
SUBJECT_MARK = "@subject="  # who it is: "myolegs22@subject=height:1.62,mass:55"
UNIFORM, SINUSOIDAL, STEP, MIXED, RANDOM = VELOCITY_MODES = ("UNIFORM", "SINUSOIDAL", "STEP", "MIXED", "RANDOM")
CRITIC = "common_critic"
# What a device's action means: 0 is zero torque; or -1 and +1 are the ends of its control range, as in MyoAssist.
FROM_ZERO, WHOLE_RANGE = DEVICE_ACTIONS = ("from_zero", "whole_range")
# How the reference is played: at the commanded speed; as recorded; its poses as recorded, the cadence with the command.
MATCHED, RECORDED, SCALED = PLAYBACKS = ("matched", "recorded", "scaled")
ALL_ACTIVATIONS, MUSCLE_ACTIVATIONS = OBSERVED_ACTIVATIONS = ("all", "muscles")
LEARNED, ZERO_TORQUE = "learned", "zero_torque"  # what drives the device: a head, or nothing; device.py has the others
LOAD, RESET, FREEZE = HEAD_STARTS = ("load", "reset", "freeze")  # what `InitFrom.heads` says of a head
LEARNING_RATES = (1e-5, 3e-3)  # between which a KL target may set it
