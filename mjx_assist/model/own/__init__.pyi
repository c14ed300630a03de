from .file import is_path as is_path
from .file import read as read
from .needs import lacking as lacking
