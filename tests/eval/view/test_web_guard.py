"""The page obeys itself alone: other pages' requests are refused, and what is no number changes nothing."""

import math
import socket

import pytest

from mjx_assist.eval.view import web
from mjx_assist.eval.view.choices import only
from mjx_assist.eval.view.web_guard import allowed, number

pytest.importorskip("viser", reason="needs the extra [web]")


@pytest.mark.parametrize(
    ("origin", "host", "served", "ours"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", True),
        ("http://localhost:8080", "localhost:8080", "127.0.0.1", True),
        (None, "127.0.0.1:8080", "127.0.0.1", True),
        ("http://evil.example", "127.0.0.1:8080", "127.0.0.1", False),
        ("http://127.0.0.1:9999", "127.0.0.1:8080", "127.0.0.1", False),
        ("null", "127.0.0.1:8080", "127.0.0.1", False),
        ("http://evil.example:8080", "evil.example:8080", "127.0.0.1", False),  # a name that was pointed here
        ("http://192.168.0.7:8080", "192.168.0.7:8080", "0.0.0.0", True),
        ("http://evil.example:8080", "evil.example:8080", "0.0.0.0", False),
        ("http://[", "127.0.0.1:8080", "127.0.0.1", False),
        (None, "", "127.0.0.1", False),
    ],
)
def test_who_may_talk_to_the_page(origin, host, served, ours):
    assert allowed(origin, host, served) is ours


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None, True, [1.0], {}, 1j])
def test_what_is_no_number_is_none(value):
    assert number(value, 0.5, 2.0) is None


def test_a_number_is_held_to_its_limits():
    assert [number(value, 0.5, 2.0) for value in (-9, 1.25, 1e300)] == [0.5, 1.25, 2.0]


def test_a_foreign_origin_is_refused_and_garbage_ends_nothing(untrained_bundle):
    from viser import __version__
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    def connected(origin):
        return connect(f"ws://127.0.0.1:{port}", origin=origin, subprotocols=[f"viser-v{__version__}"], max_size=None)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    choices = only(untrained_bundle, "reduced", 100, 0)
    page = web.Page(choices, port=port)
    try:
        with pytest.raises(InvalidStatus, match="403"), connected("http://evil.example"):
            raise AssertionError
        for message in (b"garbage", b"\xc1" * 100, "text", b"\xff\xff"):
            with connected(f"http://127.0.0.1:{port}") as client:
                client.send(message)
        choices.player.tick(page.draw)
        with connected(f"http://127.0.0.1:{port}"):
            pass
    finally:
        page.stop()
