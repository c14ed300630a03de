from .combine import Part as Part
from .convert import FORMATS as FORMATS
from .convert import Format as Format
from .convert import read as read
from .convert import write as write
