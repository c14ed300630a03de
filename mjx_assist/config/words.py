"""The words that a config's values can be."""

ACTIVATIONS = ("elu", "relu", "tanh")
BACKENDS = ("auto", "mjx", "warp", "mujoco")
REDUCED, COMPOSED = "reduced", "composed"  # what `EnvParams.model_kind` can be
VELOCITY_MODES = ("UNIFORM", "SINUSOIDAL", "STEP", "MIXED")
CRITIC = "common_critic"
LOAD, RESET, FREEZE = "load", "reset", "freeze"  # what `InitFrom.heads` says of a head
LEARNING_RATES = (1e-5, 3e-3)  # between which a KL target may set it
