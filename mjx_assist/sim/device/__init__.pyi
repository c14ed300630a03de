from .controller import make_controller as make_controller
from .motors import make_motors as make_motors
from .strides import GaitClock as GaitClock
