"""Pages as text: what a table on them is, and this folder's templates filled in. Nothing else here knows jinja2.

Texts are texts wherever they end up on a page, in attributes too: templates escape what they are given."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True)
class Cell:
    """A table's cell that is more than its text. ``look``: its class in the style; ``columns``: how many it spans.

    ``above``: a line over the text.
    """

    text: str
    look: str = ""
    columns: int = 1
    above: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header. ``title``: a small heading over it; ``one_line``: a row's texts do not wrap."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    title: str = ""
    one_line: bool = False


@dataclass(frozen=True)
class Section:
    """Tables under a heading, side by side where there is room if they are ``columns``."""

    title: str
    tables: Sequence[Table]
    columns: bool = False


@dataclass(frozen=True)
class Panels:
    """Images under a heading that stand in rows where there is room, and below each other on a phone.

    ``images``: (text, share of a row's width, PNG or SVG); ``small``: on a phone two stand side by side.
    """

    title: str
    images: Sequence[tuple[str, float, bytes]]
    small: bool = False


def render(template: str, **values: Any) -> str:
    """The page that ``templates/<template>.html.j2`` makes of the values; images are the bytes of PNG or SVG files.

    Raises:
        jinja2.UndefinedError: the template asks for a value that is not given.
    """
    return _TEMPLATES.get_template(f"{template}.html.j2").render(values)


def _data(content: bytes) -> str:
    """An image as a URL that holds it."""
    kind = "svg+xml" if content.startswith(b"<?xml") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


_TEMPLATES = Environment(
    loader=PackageLoader(__package__ or "", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["data"] = _data
