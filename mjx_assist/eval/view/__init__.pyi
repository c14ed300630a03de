from .models import side_by_side as side_by_side
from .scene import Scene as Scene
from .video import write_video as write_video
from .web import serve as serve
from .window import watch as watch
