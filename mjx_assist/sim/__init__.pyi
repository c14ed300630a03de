from .command import CommandRange as CommandRange
from .env import AssistEnv as AssistEnv
from .env import make_env as make_env
from .observation import ObservationSpec as ObservationSpec
from .observation import observe as observe
