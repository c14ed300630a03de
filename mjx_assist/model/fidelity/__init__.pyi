from .bounds import worst as worst
from .report import fidelity as fidelity
from .table import missed as missed
from .table import shipped as shipped
from .table import verdict_text as verdict_text
