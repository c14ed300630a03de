from .atomic import check_writable as check_writable
from .atomic import replacing as replacing
from .atomic import write_text as write_text
from .logs import read_rows as read_rows
from .plain import write_json as write_json
from .tables import table as table
