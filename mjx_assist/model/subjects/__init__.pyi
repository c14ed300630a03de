from .proportions import Proportions as Proportions
from .proportions import proportions as proportions
from .scale import put_on as put_on
from .standard import Standard as Standard
