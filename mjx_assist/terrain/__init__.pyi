from .heightfield import FLOOR as FLOOR
from .heightfield import Terrain as Terrain
from .heightfield import make_terrain as make_terrain
from .heightfield import put_ground as put_ground
