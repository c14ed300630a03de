from .config.read import load_config as load_config
from .eval.gait.summary import summarize as summarize
from .eval.replay.record import GaitRecord as GaitRecord
from .eval.replay.replay import replay as replay
from .eval.report.gait import write_report as write_report
from .eval.report.pages.comparison import write_comparison as write_comparison
from .eval.studies.cases import compare as compare
from .model.reduction import reduce_model as reduce_model
from .sim.env import make_env as make_env
from .training.export import load_policy as load_policy
from .training.run import resume as resume
from .training.run import train as train

__version__: str
