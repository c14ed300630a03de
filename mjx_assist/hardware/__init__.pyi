from .export import AGREEMENT as AGREEMENT
from .export import Output as Output
