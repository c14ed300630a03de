from .contact import Foot as Foot
from .contact import fit_soles as fit_soles
from .shape import touch_sensors as touch_sensors
from .sole import lowest as lowest
