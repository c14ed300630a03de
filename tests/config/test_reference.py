"""docs/config.md and the editor's schema are what the dataclasses say; comments are allowed and change nothing."""

import json

import pytest
from checkout import ROOT

from mjx_assist.cli.main import main
from mjx_assist.cli.train import config_keys
from mjx_assist.config import reference
from mjx_assist.config.read import load, load_config, preset_names, preset_path


def test_every_key_has_its_meaning_and_the_written_files_are_current():
    """`python docs/write_config.py` writes them."""
    told = {key.path: key for key in list(reference.keys())}
    assert set(config_keys()) <= set(told)
    assert all(key.meaning for key in told.values())
    assert (ROOT / "docs" / "config.md").read_text() == reference.markdown()
    assert json.loads((ROOT / "configs" / "schema" / "config.json").read_text()) == reference.json_schema()


def test_the_schema_takes_every_preset_and_refuses_what_the_reader_refuses():
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(reference.json_schema())
    for name in preset_names():
        check.validate(json.loads(preset_path(name).read_text()))
    for wrong in (
        {"env_params": {"num_env": 3}},
        {"env_params": {"num_envs": "3"}},
        {"env_params": {"backend": "mjxx"}},
        {"ppo_params": {"gamma": 1.5}},
        {"policy_params": {"net_arch": {"human_actor": [0]}}},
        {"init_from": {}},
    ):
        assert not check.is_valid(wrong), wrong
    assert check.is_valid({"// why": "a comment", "env_params": {"//": "too", "num_envs": 3}})


def test_comments_change_nothing(tmp_path):
    tree = json.loads(preset_path("walk22_exo").read_text())
    tree["env_params"] = {"//": "a", "// num_envs": ["b"], **tree["env_params"]}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"$schema": "x", **tree}))
    assert load(file) == load_config("walk22_exo")


def test_init_writes_a_config_that_loads_as_asked_with_every_key_explained(tmp_path, capsys):
    file = tmp_path / "mine.json"
    command = ["init", str(file), "--from", "walk22_none", "--device", "DephyExoBoot_L1", "--speeds", "1.0,1.5"]
    assert main(command) == 0
    asked = {"env_params.device_key": "DephyExoBoot_L1", "env_params.min_target_velocity": 1.0}
    assert load(file) == load_config("walk22_none", {**asked, "env_params.max_target_velocity": 1.5})
    text = file.read_text()
    assert text.index("// num_envs") < text.index('"num_envs"')
    assert main(command) == 2
    assert "there already" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "b.json"), "--device", "Dephy"]) == 2
    assert "DephyExoBoot_L1" in capsys.readouterr().err


def test_configs_list_show_and_keys_answer(capsys):
    assert main(["configs", "list"]) == 0
    printed = capsys.readouterr().out.splitlines()
    for name in preset_names():
        (at,) = (i for i, line in enumerate(printed) if line.startswith(f"{name} ("))
        assert len(printed[at + 1].split()) > 4, f"{name} says what it teaches"
    assert main(["configs", "keys", "target_kl"]) == 0
    assert "ppo_params.target_kl: in nats, must be 0 or more, default 0.01" in capsys.readouterr().out
    assert main(["configs", "show", "walk22_exo", "--all"]) == 0
    assert (
        json.loads(capsys.readouterr().out)["ppo_params"]["gae_lambda"]
        == load_config("walk22_exo").ppo_params.gae_lambda
    )
