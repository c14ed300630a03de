from .fit import refit as refit
from .paths import MusclePath as MusclePath
from .paths import read_paths as read_paths
