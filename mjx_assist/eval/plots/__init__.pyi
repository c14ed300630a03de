from .style import COLORS as COLORS
from .style import MUSCLE_TITLES as MUSCLE_TITLES
from .style import save as save
from .style import styled as styled
