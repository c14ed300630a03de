from .evaluations import analyze as analyze
from .gait import headline as headline
from .gait import write_report as write_report
from .pages.comparison import write_comparison as write_comparison
