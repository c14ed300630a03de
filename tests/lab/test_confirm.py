"""Confirming the best designs over people: everybody trains with every one of them, from the family's policy."""

import dataclasses
import json

import pytest

from mjx_assist.config.design_study import read_design_study
from mjx_assist.config.read import load_config
from mjx_assist.config.study import Walker
from mjx_assist.lab import confirm
from mjx_assist.training import study as studies


class Asked(Exception):
    """Instead of training."""


def test_everybody_trains_with_every_design(untrained_bundle, tmp_path, monkeypatch):
    (tmp_path / "people.csv").write_text("name,height,mass\nAnn,1.6,55\nBob,1.85,82\n")
    tree = {"policies": ["family"], "confirm": {"best": 1, "subjects": "people.csv", "seeds": 1}}
    (tmp_path / "STUDY.json").write_text(json.dumps(tree))
    study = read_design_study(tmp_path / "STUDY.json")
    made = {}

    def train(asked, configs, out):
        made.update(configs)
        raise Asked

    monkeypatch.setattr(studies, "train", train)
    family = dataclasses.replace(untrained_bundle, config=load_config("walk22_family"))
    best = {"peak_torque": -0.5, "peak_time_percent": 50.0, "rise_time_percent": 20.0, "fall_time_percent": 10.0}
    with pytest.raises(Asked):
        confirm.confirm(study, [family], [best], {**best, "peak_torque": 0.0}, 1.25, tmp_path)
    assert list(made) == [Walker(side, who) for side in ("no_torque", "best_1") for who in ("Ann", "Bob")]
    env = made[Walker("best_1", "Bob")].env_params
    assert env.subject.height == 1.85 and env.device_family.design["peak_torque"] == -0.5
    assert made[Walker("no_torque", "Ann")].init_from.source == "family"
