from .policy import import_policy as import_policy
from .policy import is_policy as is_policy
from .read import load as load
from .read import recognised as recognised
from .task import as_task as as_task
from .translation import Translation as Translation
from .translation import translate as translate
