from .gait.summary import summarize as summarize
from .replay.record import GaitRecord as GaitRecord
from .report.gait import write_report as write_report
from .report.pages.comparison import write_comparison as write_comparison
