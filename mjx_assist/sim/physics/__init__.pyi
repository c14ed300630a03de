from .base import Physics as Physics
from .base import PhysicsState as PhysicsState
from .make import make_physics as make_physics
from .make import resolve_backend as resolve_backend
