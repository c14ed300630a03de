from .proportions import Proportions as Proportions
from .standard import Standard as Standard
