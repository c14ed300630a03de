from . import device_path as device_path
from . import pushes as pushes
from . import sensing as sensing
