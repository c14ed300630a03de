"""Heads by name, by group and by MyoAssist's index entries reach the same indices; bad wiring is named."""

import pytest

from mjx_assist.config.heads import HeadIndexing, HeadOptions, PolicyParams
from mjx_assist.errors import UserError
from mjx_assist.ppo import wiring
from mjx_assist.ppo.networks import Mirror

OBSERVATIONS = (
    "qpos.hip_r",
    "qpos.hip_l",
    "qvel.hip_r",
    "qvel.hip_l",
    "act.soleus_r",
    "act.soleus_l",
    "target_velocity",
)
ACTUATORS = ("soleus_r", "tibant_r", "soleus_l", "tibant_l", "Exo_R", "Exo_L")
GROUPS = {"muscles": ACTUATORS[:4], "device": ACTUATORS[4:]}
NEUTRAL = (-1.0,) * 4 + (0.0,) * 2
MIRROR = Mirror((1, 0, 3, 2, 5, 4, 6), (1.0,) * 7, (2, 3, 0, 1, 5, 4))
NET = {"human_actor": (8,), "exo_actor": (4,), "common_critic": (8,)}


def resolve(human, exo, critic=("*",), mirror=None, groups=GROUPS, actuators=ACTUATORS, **options):
    info = {
        "human_actor": HeadIndexing(*human),
        "exo_actor": HeadIndexing(*exo),
        "common_critic": HeadIndexing(critic),
    }
    policy = PolicyParams(net_arch=NET, net_indexing_info=info, head_options=options, log_std_init=-0.7)
    return wiring.policy_spec(policy, OBSERVATIONS, actuators, groups, NEUTRAL[: len(actuators)], mirror)


def test_names_and_myoassist_entries_reach_the_same_indices():
    by_name = resolve((("*",), ("muscles",)), (("hip_*", "target_velocity"), ("Exo_*",)))
    by_index = resolve(
        (
            ({"type": "range", "range": [0, 7], "comment": "all"},),
            ({"type": "range_mapping", "range_net": [0, 4], "range_action": [0, 4]},),
        ),
        (
            ({"type": "index", "index": [0, 1, 2, 3, 6]},),
            ({"type": "index_mapping", "index_net": [1, 0], "index_action": [5, 4]},),
        ),
    )
    assert by_name.heads == by_index.heads
    assert by_name.heads[0].action == (0, 1, 2, 3)
    assert by_name.heads[1].observation == (0, 1, 2, 3, 6)


def test_index_mapping_permutes_outputs():
    swapped = ({"type": "index_mapping", "index_net": [0, 1], "index_action": [5, 4]},)
    assert resolve((("*",), ("muscles",)), (("*",), swapped)).heads[1].action == (5, 4)


def test_myoassists_index_mapping_has_one_list_for_outputs_and_actuators():
    same = ({"type": "index_mapping", "index": [2, 0, 1, 3]},)
    assert resolve((("*",), same), (("*",), ("device",))).heads[0].action == (0, 1, 2, 3)


def test_a_mirror_keeps_one_side_of_each_head():
    spec = resolve((("*",), ("muscles",)), (("*",), ("device",)), mirror=MIRROR)
    assert [head.action for head in spec.heads] == [(0, 1), (4,)]
    assert spec.active.all()


def test_options_reach_the_head():
    spec = resolve(
        (("*",), ("muscles",)), (("*",), ("device",)), exo_actor=HeadOptions(enabled=False, log_std_init=-2.0)
    )
    assert [h.log_std_init for h in spec.heads] == [-0.7, -2.0]
    assert list(spec.active) == [True] * 4 + [False] * 2


def test_a_device_head_without_a_device_is_left_out():
    spec = resolve(
        (("*",), ("muscles",)), (("*",), ("device",)), groups={**GROUPS, "device": ()}, actuators=ACTUATORS[:4]
    )
    assert [h.name for h in spec.heads] == ["human_actor"]


@pytest.mark.parametrize(
    ("human", "exo", "mirror", "words"),
    [
        ((("*",), ("muscles", "Exo_R")), (("*",), ("device",)), None, ("driven twice", "Exo_R")),
        ((("*",), ("soleus_*",)), (("*",), ("device",)), None, ("driven by no head", "tibant_r", "tibant_l")),
        ((("*",), ("muscles",)), (("hop_*",), ("device",)), None, ("hop_*", "hip_")),
        ((("*",), ("muscels",)), (("*",), ("device",)), None, ("muscels", "muscles")),
        ((({"type": "range", "range": [0, 9]},), ("muscles",)), (("*",), ("device",)), None, ("beyond the 7",)),
        ((({"type": "rang", "range": [0, 7]},), ("muscles",)), (("*",), ("device",)), None, ("rang", "range")),
        (
            (("*",), ({"type": "range_mapping", "range_net": [0, 3], "range_action": [0, 4]},)),
            (("*",), ("device",)),
            None,
            ("maps 3 outputs to 4",),
        ),
        ((("*",), ("*_r",)), (("*",), ("*_l", "device")), MIRROR, ("soleus_r", "mirror_symmetric")),
    ],
)
def test_bad_wiring_is_named(human, exo, mirror, words):
    with pytest.raises(UserError) as error:
        resolve(human, exo, mirror=mirror)
    assert all(word in str(error.value) for word in words), error.value
