"""What a run was made from: edits of its config and of the user's files are refused or told, and change nothing."""

import json

import mujoco
import pytest
from small_runs import CONFIG

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.model.model_files import files_of
from mjx_assist.paths import SESSION_CONFIG
from mjx_assist.training import origin

TETRAHEDRON = "v 0 0 0\nv {s} 0 0\nv 0 {s} 0\nv 0 0 {s}\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
WALKER = """<mujoco><compiler meshdir="{meshes}"/><include file="parts/assets.xml"/>
<worldbody><body><joint/><geom type="mesh" mesh="m"/><geom size="0.1" mass="{mass}"/></body></worldbody></mujoco>"""


@pytest.fixture
def walker(tmp_path):
    """An own model of three files, one of them below, one beside its folder."""
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    (tmp_path / "meshes").mkdir()
    (folder / "parts" / "assets.xml").write_text('<mujoco><asset><mesh name="m" file="t.obj"/></asset></mujoco>')
    (tmp_path / "meshes" / "t.obj").write_text(TETRAHEDRON.format(s=1))
    path = folder / "walker.xml"
    path.write_text(WALKER.format(meshes="../meshes", mass=48))
    return path


def config(**env):
    return configs.from_dict({**CONFIG, "total_timesteps": 64, "env_params": {**CONFIG["env_params"], **env}})


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    origin.begin(path, config())
    return path


def edit(run, key, value):
    """As a person with an editor."""
    tree = json.loads((run / SESSION_CONFIG).read_text())
    *groups, leaf = key.split(".")
    node = tree
    for group in groups:
        node = node[group]
    node[leaf] = value
    (run / SESSION_CONFIG).write_text(json.dumps(tree))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("env_params.device_key", "DephyExoBoot_L1", "device_key was 'Tutorial_L1' and would be 'DephyExoBoot_L1'"),
        ("env_params.physics_sim_framerate", 480, "physics_sim_framerate was 240 and would be 480"),
        ("env_params.reward_keys_and_weights.forward_reward", 2.0, "forward_reward was 1.0 and would be 2.0"),
        ("ppo_params.n_steps", 16, "n_steps was 8 and would be 16"),
        ("env_params.seed", 1, "seed was 1234 and would be 1"),
        ("policy_params.activation", "tanh", "activation was 'elu' and would be 'tanh'"),
    ],
)
def test_an_edited_config_is_refused_by_name(run, key, value, told):
    edit(run, key, value)
    with pytest.raises(UserError, match=told):
        origin.checked(run, origin.config_of(run))


def test_what_may_change_is_said_and_kept(run, capsys):
    edit(run, "ppo_params.gamma", 0.9)
    origin.go_on(run, origin.config_of(run))
    assert "changed: ppo_params.gamma 0.98 -> 0.9" in capsys.readouterr().err
    assert json.loads((run / origin.ORIGIN).read_text())["changes"] == [{"ppo_params.gamma": [0.98, 0.9]}]
    origin.go_on(run, origin.config_of(run))
    assert not capsys.readouterr().err


def test_an_edited_origin_is_refused(run):
    path = run / origin.ORIGIN
    path.write_text(path.read_text().replace('"seed": 1234', '"seed": 1'))
    with pytest.raises(UserError, match="damaged or was edited"):
        origin.checked(run, config(seed=1))


def test_a_run_from_before_there_was_an_origin_goes_on(run, capsys):
    (run / origin.ORIGIN).unlink()
    origin.go_on(run, origin.config_of(run))
    assert "taken at its word" in capsys.readouterr().err


def mass(path):
    return mujoco.MjModel.from_xml_path(str(path)).body_mass.sum()


def test_a_run_keeps_its_model_whatever_becomes_of_the_files(walker, tmp_path, monkeypatch, capsys):
    """The model, an included file and a mesh edited; read from another folder than that of a relative path."""
    trained = mass(walker)
    monkeypatch.chdir(walker.parent)
    own, run = config(msk_key=None, device_key=None, model_path="walker.xml"), tmp_path / "run"
    run.mkdir()
    origin.begin(run, own)
    assert [file.name for file in files_of(walker)] == ["walker.xml", "assets.xml", "t.obj"]
    walker.write_text(WALKER.format(meshes="../meshes", mass=90))
    (tmp_path / "meshes" / "t.obj").write_text(TETRAHEDRON.format(s=2))
    (walker.parent / "parts" / "assets.xml").write_text("<mujoco/>")
    monkeypatch.chdir(tmp_path)
    kept = origin.checked(run, origin.config_of(run)).env_params
    assert mass(kept.model_path) == pytest.approx(trained, rel=1e-12)
    origin.tell_edited(run)
    assert capsys.readouterr().err.count("has changed since the run began") == 3
    moved = run.rename(tmp_path / "moved")
    assert mass(origin.checked(moved, origin.config_of(moved)).env_params.model_path) == pytest.approx(trained)


def test_a_mesh_by_an_absolute_path_is_watched_where_it_is(walker, tmp_path, run):
    walker.write_text(WALKER.format(meshes=tmp_path / "meshes", mass=48))
    own = config(msk_key=None, device_key=None, model_path=str(walker))
    origin.begin(run, own)
    origin.checked(run, own)
    (tmp_path / "meshes" / "t.obj").write_text(TETRAHEDRON.format(s=2))
    with pytest.raises(UserError, match=r"t\.obj' is not the file that it was trained with"):
        origin.checked(run, own)


def test_a_run_keeps_its_reference_and_notices_a_damaged_copy(run, tmp_path):
    motion = tmp_path / "mine.csv"
    motion.write_text("q_knee_angle_r\n-67.6\n")
    own = config(reference_data_path=str(motion))
    origin.begin(run, own)
    motion.unlink()
    kept = origin.checked(run, own).env_params.reference_data_path
    with open(kept) as file:
        assert "-67.6" in file.read()
    with open(kept, "a") as file:
        file.write("-47.3\n")
    with pytest.raises(UserError, match="not the file that it was trained with"):
        origin.checked(run, own)


def test_a_run_that_fails_before_its_first_update_takes_back_what_it_wrote_and_no_more(run):
    (run / "notes.txt").write_text("mine")
    assert origin.forget(run)
    assert [path.name for path in run.iterdir()] == ["notes.txt"]
