"""Who may talk to the viewer's page: the page itself. Another web page in the same browser may not (Origin, Host)."""

import contextlib
import ipaddress
import math
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

_LOCAL = ("localhost", "127.0.0.1", "::1")


def allowed(origin: str | None, host: str, served: str) -> bool:
    """Whether a request with these headers is of our page at the address ``served``, or of no browser at all.

    A name that leads to this machine is not enough: whoever owns the name could have pointed it here.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        names = (*_LOCAL, served) if served in _LOCAL else (*_LOCAL, served, socket.gethostname().lower())
        if name not in names and (served in _LOCAL or not _is_address(name)):
            return False
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


@contextlib.contextmanager
def guarded(served: str) -> Iterator[None]:
    """A server of websockets' that starts in the block answers 403 to whoever is not `allowed`."""
    import websockets.asyncio.server as server

    serve = server.serve

    def guarding(*arguments: Any, process_request: Any = None, **options: Any) -> Any:
        async def check(connection: Any, request: Any) -> Any:
            try:
                ours = allowed(request.headers.get("Origin"), request.headers.get("Host", ""), served)
            except LookupError:  # a header twice
                ours = False
            if not ours:
                return connection.respond(403, "Only the viewer's own page may connect.\n")
            answer: Any = process_request(connection, request) if process_request else None
            return await answer if hasattr(answer, "__await__") else answer

        return serve(*arguments, process_request=check, **options)

    server.serve = guarding
    try:
        yield
    finally:
        server.serve = serve


def number(value: Any, low: float, high: float) -> float | None:
    """What a client sent as a number within limits; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(max(float(value), low), high)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
