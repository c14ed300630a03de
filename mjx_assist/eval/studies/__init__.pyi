from .cases import Comparison as Comparison
from .cases import cases_of as cases_of
from .compare import Walks as Walks
from .statistics import interval as interval
from .statistics import wilson as wilson
from .trials import Trial as Trial
