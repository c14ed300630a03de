from .feet import to_feet as to_feet
from .mass import body_mass as body_mass
from .plates import Plate as Plate
from .plates import plates_of as plates_of
