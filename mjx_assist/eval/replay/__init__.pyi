from .conditions import Conditions as Conditions
from .controller import with_controller as with_controller
from .record import SIDES as SIDES
from .record import GaitRecord as GaitRecord
from .walk import Walk as Walk
from .walker import Walker as Walker
