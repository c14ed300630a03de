from .check import check_curriculum as check_curriculum
from .settings import Curriculum as Curriculum
from .settings import Randomization as Randomization
