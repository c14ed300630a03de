"""The kinds of ground that a config may name."""

import pytest
from grounds import COURSE

from mjx_assist import config
from mjx_assist.errors import UserError
from mjx_assist.terrain.kinds import kinds


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"terrain_type": "randon"}, ("terrain_type", "'random'")),
        ({"terrain_type": "random"}, ("terrain_params", "amplitude")),
        ({"terrain_type": "random", "terrain_params": "high"}, ("terrain_params", "numbers")),
        ({"terrain_type": "random", "terrain_params": "-0.1"}, ("amplitude", "0 or more")),
        ({"terrain_type": "flat", "terrain_params": "0.1"}, ("no numbers",)),
        ({"terrain_type": "harmonic_sinusoidal", "terrain_params": "0.1 2"}, ("amplitude_row period_row",)),
        ({"terrain_type": "harmonic_sinusoidal", "terrain_params": "0.1 0 0 1"}, ("period_row", "positive")),
        ({"terrain_type": ["flat", "random"], "terrain_params": "0.1"}, ("for each of",)),
        ({"terrain_type": []}, ("at least one",)),
        ({"terrain_amplitude": 1.5}, ("terrain_amplitude", "0..1")),
        ({"terrain": {"terrain": "slope", "dge": 8}}, ("env_params.terrain", "dge")),
        ({"terrain": {"terrain": "slope"}, "terrain_type": "random", "terrain_params": "0.1"}, ("one of them",)),
    ],
)
def test_mistakes_in_a_config_are_told(given, words):
    with pytest.raises(UserError) as error:
        config.from_dict({"env_params": given})
    assert all(word in str(error.value) for word in words), error.value


def test_a_config_of_ground_is_read_and_written_alike():
    given = [{"terrain_type": ["random", "slope"], "terrain_params": ["0.06", 0.1]}, {"terrain": COURSE}]
    for env in ({"terrain_type": "random", "terrain_params": [0.06]}, *given):
        read = config.from_dict({"env_params": env})
        assert config.from_dict(config.to_dict(read)) == read
    assert kinds(read.env_params)[0].heights is not None
