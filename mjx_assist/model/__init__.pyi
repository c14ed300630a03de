from .assembly import NO_DEVICE as NO_DEVICE
from .assembly import full_model as full_model
from .names import actuator_names as actuator_names
from .names import is_muscle as is_muscle
from .reduction import ReducedModel as ReducedModel
from .reduction import reduce_model as reduce_model
