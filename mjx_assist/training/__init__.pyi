from .callbacks import Run as Run
from .export import export_run as export_run
from .export import load_policy as load_policy
from .run import resume as resume
from .run import train as train
