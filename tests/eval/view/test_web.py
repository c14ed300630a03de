"""The page: what it draws is the scene, what it is told reaches the player; in Chromium with -m slow."""

import http.client
import itertools
import re
import shutil
import socket
import subprocess
import sys
import time

import mujoco
import numpy as np
import pytest
from PIL import Image

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.view import meshes as scene_meshes
from mjx_assist.eval.view import web
from mjx_assist.eval.view.choices import Choices, only
from mjx_assist.eval.view.player import Player
from mjx_assist.paths import data_path

viser = pytest.importorskip("viser", reason="needs the extra [web]")
POLICY = data_path("models", "policies", "walk22_exo")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def page(untrained_bundle):
    choices = only(untrained_bundle, "reduced", 100, 0)
    page = web.Page(choices, port=free_port())
    yield page, choices.player
    page.stop()


def test_the_page_is_served_to_this_machine_only(page):
    page, _ = page
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", page.port), timeout=2):
        pass  # another address of this machine (on Linux all of 127/8 is its own)


def test_the_browser_gets_the_scene_with_the_walker_in_the_middle(page):
    page, player = page
    for _ in range(4):
        player.tick(page.draw)
    data, model = page._scene.data, page._scene.model
    place = page._scene.place
    for handle, mesh in zip(page._bodies, page._meshes, strict=True):
        np.testing.assert_allclose(handle.batched_positions[0], data.xpos[mesh.body] - place, atol=1e-6)
        np.testing.assert_allclose(handle.batched_wxyzs[0], data.xquat[mesh.body], atol=1e-6)
    lengths = np.bincount(scene_meshes.muscle_segments(model, data)[1], page._muscles.batched_scales[:, 2])
    np.testing.assert_allclose(lengths[: model.ntendon], data.ten_length, rtol=0.02)  # wraps are drawn as chords
    force = player.reading.force
    for side, handle in enumerate(page._arrows):
        assert handle.visible == (force[side, 2] > 20.0)
    at, *curves = page._plots[1].data
    assert at[-1] == 0.0 and len(at) == 4
    weight = player.session.walker.body_mass * 9.81
    np.testing.assert_allclose([curve[-1] for curve in curves], force[:, 2] / weight)
    assert "**target** 1.25 m/s" in page._status.content


def test_the_ground_moves_back_as_the_walker_goes(page):
    page, player = page
    shifts = []
    for _ in range(3):
        player.tick(page.draw)
        shifts.append((page._scene.place[0], page._ground.position[0]))
    for (before, ground), (after, later) in itertools.pairwise(shifts):
        assert (later - ground) % 1.0 == pytest.approx(-(after - before) % 1.0, abs=1e-6)
    player.ask(Player.switch_follow)
    player.tick(page.draw)
    assert page._ground.position[0] == 0.0


def test_sliders_end_where_training_did_until_they_are_let_go_beyond(page):
    """The policy of the fixture was trained at 1.25 m/s alone and never pushed; its reference has 0.5 to 2 m/s."""
    page, player = page
    controls = {handle.label: handle for handle in page._server.gui._gui_input_handle_from_uuid.values()}
    speed, force, beyond = controls["target (m/s)"], controls["push (N)"], controls["beyond training"]
    assert speed.disabled and speed.value == 1.25 and force.disabled
    beyond.value = True
    beyond._impl.update_cb[0](None)
    assert (speed.min, speed.max, speed.disabled) == (*player.session.speed_range, False)
    assert (force.min, force.max) == (-300.0, 300.0)
    speed.value = 9.0
    speed._impl.update_cb[0](None)
    player.tick(page.draw)
    assert player.reading.target == player.session.speed_range[1]


def test_another_policy_and_ground_take_the_place_of_what_was_there(untrained_bundle):
    def refused():
        raise UserError("it is damaged")

    choices = Choices({"first": lambda: (untrained_bundle, "reduced"), "damaged": refused}, 100, 0)
    page = web.Page(choices, port=free_port())
    try:
        choices.ask(ground="+4°")
        assert choices.taken() and not choices.taken()
        page.show()
        for _ in range(4):
            choices.player.tick(page.draw)
        turn = np.array(page._ground.wxyz)
        uphill = np.zeros(3)
        mujoco.mju_rotVecQuat(uphill, np.array([1.0, 0.0, 0.0]), turn)
        assert uphill[2] / uphill[0] == pytest.approx(np.tan(np.radians(4)))
        choices.ask(policy="damaged")
        assert not choices.taken() and choices.policy == "first"
        for _ in range(4):
            choices.player.tick(page.draw)
        assert "it is damaged" in page._status.content
    finally:
        page.stop()


def test_meshes_hold_what_mujoco_draws():
    """Area and place of each shape against MuJoCo's own geometry, turned and shifted."""
    model = mujoco.MjModel.from_xml_string(
        """<mujoco><worldbody><geom type="plane" size="1 1 1"/><body pos="0 0 1">
        <geom type="box" size=".1 .2 .3" pos="1 0 0" euler="0 90 0" rgba="1 0 0 1"/>
        <geom type="sphere" size=".5" pos="0 2 0" rgba="0 1 0 1"/>
        <geom type="cylinder" size=".1 .4" rgba="0 0 1 1"/><geom type="capsule" size=".1 .4" rgba="0 1 1 1"/>
        <geom type="sphere" size=".1" group="3"/></body></worldbody></mujoco>"""
    )
    meshes = scene_meshes.body_meshes(model)
    spans = {mesh.rgba: (mesh.vertices.min(0), mesh.vertices.max(0)) for mesh in meshes}
    assert len(meshes) == 4  # neither the ground nor a hidden group
    np.testing.assert_allclose(spans[1.0, 0.0, 0.0, 1.0], [[0.7, -0.2, -0.1], [1.3, 0.2, 0.1]], atol=1e-6)
    np.testing.assert_allclose(spans[0.0, 1.0, 0.0, 1.0], [[-0.5, 1.5, -0.5], [0.5, 2.5, 0.5]], atol=0.01)
    np.testing.assert_allclose(spans[0.0, 0.0, 1.0, 1.0], [[-0.1, -0.1, -0.4], [0.1, 0.1, 0.4]], atol=0.01)
    np.testing.assert_allclose(spans[0.0, 1.0, 1.0, 1.0], [[-0.1, -0.1, -0.5], [0.1, 0.1, 0.5]], atol=0.01)


def test_cylinders_lie_between_their_ends():
    rng = np.random.default_rng(0)
    pieces = np.concatenate([rng.normal(size=(20, 2, 3)), [[[0, 0, 1], [0, 0, 0]], [[1, 0, 0], [0, 0, 0]]]])
    position, quaternion, scale = scene_meshes.cylinder_between(pieces, 0.01)
    for piece, place, turn, size in zip(pieces, position, quaternion, scale, strict=True):
        ends = []
        for z in (-0.5, 0.5):
            end = np.zeros(3)
            mujoco.mju_rotVecQuat(end, size * [0, 0, z], turn)
            ends.append(place + end)
        ends = sorted(ends, key=lambda end: np.linalg.norm(end - piece[0]))
        np.testing.assert_allclose(ends, piece, atol=1e-9)


def test_an_address_that_is_taken_is_named(bundle_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main(["replay", str(bundle_path), "--web", "--port", str(port)]) == 2
    assert f"127.0.0.1:{port}" in capsys.readouterr().err
    assert main(["replay", str(bundle_path), "--web", "--host", "no.such.host.invalid"]) == 2
    assert "no.such.host.invalid" in capsys.readouterr().err


def test_without_viser_the_extra_is_named(untrained_bundle, monkeypatch):
    monkeypatch.setitem(sys.modules, "viser", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[web\]'"):
        web.serve(only(untrained_bundle, "reduced", 5, 0))


CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-unsafe-swiftshader --use-gl=angle --use-angle=swiftshader"
)


@pytest.mark.slow
def test_in_a_browser_the_skeleton_is_seen_and_the_switch_changes_the_torque(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    browser_path = shutil.which("chromium")
    if not browser_path:
        pytest.skip("needs Chromium")
    port = free_port()
    command = [sys.executable, "-m", "mjx_assist", "replay", str(POLICY), "--web", "--port", str(port)]
    server = subprocess.Popen([*command, "--steps", "100000"], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=browser_path, args=CHROMIUM.split())
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"http://127.0.0.1:{port}", timeout=120_000)
            page.get_by_text("steps/min").first.wait_for(timeout=120_000)
            assert _most_torque(page) > 5.0
            page.get_by_role("button", name="pause").click()
            page.get_by_text("paused").first.wait_for(timeout=120_000)
            page.wait_for_timeout(4000)  # software rendering comes after
            page.screenshot(path=tmp_path / "page.png", timeout=120_000)
            page.get_by_role("button", name="pause").click()
            page.get_by_role("checkbox").first.click()
            page.get_by_text("device (off)").first.wait_for(timeout=120_000)
            page.wait_for_timeout(3000)  # the step that was under way when the switch was pressed
            assert _most_torque(page) == 0.0
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=60)
    view = np.asarray(Image.open(tmp_path / "page.png").convert("RGB"))[150:700, 200:700].astype(int)
    bone = (np.ptp(view, axis=2) < 25) & (view.min(2) > 60) & (view.max(2) < 222)  # darker than sky and ground
    device = (view[..., 0] > 120) & (view[..., 2] < 60) & (view[..., 1] > 80)  # the golden cuffs
    assert bone.sum() > 3000 and device.sum() > 100


def _wait_for(port: int) -> None:
    for _ in range(240):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server did not start")


def _most_torque(page) -> float:
    """The largest device torque that the page shows in about six seconds, N*m."""
    most = 0.0
    for _ in range(30):
        text = page.locator("body").inner_text()
        told = re.search(r"ankle r (-?[\d.]+), ankle l (-?[\d.]+)", text)
        most = max(most, *(abs(float(value)) for value in told.groups()))
        page.wait_for_timeout(200)
    return most
