"""The words that a config's values can be; commands, records and reports use the same. It imports nothing."""

ELU, RELU, TANH = ACTIVATIONS = ("elu", "relu", "tanh")
AUTO, MJX, WARP, MUJOCO, COMPILED = BACKENDS = ("auto", "mjx", "warp", "mujoco", "compiled")
# The models that can walk: the reduced one; the full one, its couplings made rigid; the full one as assist_sim has it.
REDUCED, FULL, COMPOSED = MODEL_KINDS = ("reduced", "full", "composed")
ASSIST_SIM, BODY_MARK = "assist_sim", "+"  # the body that assist_sim's humans have; "myolegs22+passive" has another
UNIFORM, SINUSOIDAL, STEP, MIXED = VELOCITY_MODES = ("UNIFORM", "SINUSOIDAL", "STEP", "MIXED")
CRITIC = "common_critic"
LEARNED, ZERO_TORQUE = "learned", "zero_torque"  # what drives the device: a head, or nothing; device.py has the others
LOAD, RESET, FREEZE = "load", "reset", "freeze"  # what `InitFrom.heads` says of a head
LEARNING_RATES = (1e-5, 3e-3)  # between which a KL target may set it
