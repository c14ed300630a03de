from .metric import StrideMetric as StrideMetric
from .metrics import register as register
from .summary import episode_summary as episode_summary
from .summary import stride_rows as stride_rows
from .summary import summarize as summarize
