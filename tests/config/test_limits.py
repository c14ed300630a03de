"""Every number of a config has its limits, and a mistake in it is found before anything is compiled or written."""

import dataclasses
import importlib
import json
import typing
from dataclasses import dataclass, field
from typing import Annotated

import jax
import pytest

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.config import limits
from mjx_assist.config import subject as subjects
from mjx_assist.config.subject import Subject
from mjx_assist.errors import UserError
from mjx_assist.reference import healthy
from mjx_assist.training import run

HEADS = ("human_actor", "exo_actor")
PERSON = Subject(1.7, 60.0, age=30.0, segment_lengths={"thigh": 0.4}, strength={"all": 1.0}, added_mass={"foot": 1.0})
CONFIG = configs.RunConfig(
    env_params=configs.EnvParams(subject=PERSON),
    policy_params=configs.PolicyParams(
        head_options={h: configs.HeadOptions(learning_rate=1e-4, log_std_init=-1.0, held_action=0.0) for h in HEADS}
    ),
)
FULL = configs.to_dict(CONFIG)
TURN = "lie in -3..3 rad/s (45 degrees/s are 0.785)"
# Every limited field, by what its numbers must do, and the numbers nearest to its bounds that are and are not refused.
LIMITED = {
    "be positive": """
        env_params.out_of_trajectory_threshold ppo_params.learning_rate ppo_params.clip_range
        ppo_params.max_grad_norm env_params.reference_speed policy_params.initial_gains ppo_params.adam_epsilon
    """,
    "be 0 or more": """
        ppo_params.clip_range_vf ppo_params.ent_coef ppo_params.vf_coef ppo_params.target_kl
        ppo_params.max_kl ppo_params.mirror_loss_coef logger_params.evaluation_frequency
        policy_params.head_options.*.learning_rate
    """,
    "lie in 0..1": "ppo_params.gamma ppo_params.gae_lambda env_params.standing_share",
    "lie in -1..1": "policy_params.head_options.*.initial_action policy_params.head_options.*.held_action",
    "lie in 0..4294967295": "env_params.seed",
    "lie in 1..2147483647": """
        env_params.num_envs env_params.custom_max_episode_steps ppo_params.n_steps ppo_params.batch_size
        ppo_params.n_epochs logger_params.logging_frequency logger_params.checkpoint_frequency
        logger_params.keep_checkpoints
    """,
    "lie in 1..9007199254740992": "total_timesteps",
    "lie in 1..20000 Hz": "env_params.control_framerate env_params.physics_sim_framerate",
    "lie in 0..4096": "env_params.num_threads",
    "lie in 1..65536": "policy_params.net_arch",
    TURN: "env_params.min_heading_rate env_params.max_heading_rate",
    subjects.HEIGHT.words: "env_params.subject.height env_params.cohort.*.height",
    subjects.MASS.words: "env_params.subject.mass env_params.cohort.*.mass",
    subjects.AGE.words: "env_params.subject.age env_params.cohort.*.age",
    subjects.LENGTH.words: "env_params.subject.segment_lengths env_params.cohort.*.segment_lengths",
    subjects.FACTOR.words: "env_params.subject.strength env_params.cohort.*.strength",
    subjects.CARRIED.words: "env_params.subject.added_mass env_params.cohort.*.added_mass",
}
TINY = 5e-324  # the least number above 0
BOUNDS = {  # what is refused, what holds
    "be positive": ((0, -TINY, -1), (TINY, 1, 1e300)),
    "be 0 or more": ((-TINY, -1), (0, TINY, 1e300)),
    "lie in 0..1": ((-TINY, 1 + 1e-15, 2), (0, 0.5, 1)),
    "lie in -1..1": ((-1 - 1e-15, 1 + 1e-15), (-1, 0, 1)),
    "lie in 0..4294967295": ((-1, 4294967296), (0, 1, 4294967295)),
    "lie in 1..2147483647": ((0, 2147483648), (1, 2147483647)),
    "lie in 1..9007199254740992": ((0, 9007199254740993), (1, 9007199254740992)),
    "lie in 1..20000 Hz": ((0, 20001), (1, 20000)),
    "lie in 0..4096": ((-1, 4097), (0, 4096)),
    "lie in 1..65536": ((0, 65537), (1, 65536)),
    TURN: ((-3.1, 30, 45), (-3, 0, 0.785)),
    subjects.HEIGHT.words: ((-1.7, 1.19, 3), (1.2, 2.2)),
    subjects.MASS.words: ((-60, 29.9, 201), (30, 200)),
    subjects.AGE.words: ((7, 101), (18, 100)),
    subjects.LENGTH.words: ((0, 410), (0.05, 0.8)),
    subjects.FACTOR.words: ((-1, 0, 4), (0.02, 3)),
    subjects.CARRIED.words: ((-1, 2000), (0, 100)),
}


def numbers():
    return [key for key, _, _ in limits.numbers(CONFIG)]


def limited_fields(kind, stem=""):
    """(dotted key, the words of its limit) of a dataclass's limited fields and of those of all groups in it."""
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        limit = limits.mark_of(hint)
        if isinstance(limit, limits.Limit):
            yield stem + name, limit.words
        for group, many in groups_of(hint):
            yield from limited_fields(group, f"{stem}{name}." + ("*." if many else ""))


def groups_of(hint, many=False):
    """(dataclass, whether it may stand there under several names) of all that a field may hold."""
    if dataclasses.is_dataclass(hint):
        yield hint, many
    for part in typing.get_args(hint):
        yield from groups_of(part, many or typing.get_origin(hint) in (dict, tuple))


def with_value(key, value):
    """`FULL` with one number replaced; ``key`` as an error names it."""
    tree = json.loads(json.dumps(FULL))
    *parents, leaf = key.partition("[")[0].split(".")
    node = tree
    for name in parents:
        node = node[name]
    node[leaf] = [value] if isinstance(node[leaf], list) else value
    return tree


def test_every_limited_field_is_listed_here_and_none_is_missing():
    listed = {key: words for words, keys in LIMITED.items() for key in keys.split()}
    assert dict(limited_fields(configs.RunConfig)) == listed


@pytest.mark.parametrize("words", LIMITED)
def test_a_limit_refuses_what_is_just_out_of_it(words):
    refused, held = BOUNDS[words]
    limit = next(limit for _, _, limit in limits.numbers(CONFIG) if limit and limit.words == words)
    assert not any(limit.holds(number) for number in refused)
    assert all(limit.holds(number) for number in held)


@dataclass(frozen=True)
class Part:
    renamed: Annotated[int, limits.POSITIVE] = 1
    free: float = 0.0


@dataclass(frozen=True)
class Group:
    part: Part = field(default_factory=Part)
    perhaps: Annotated[float | None, limits.SHARE] = None
    sizes: Annotated[dict[str, tuple[int, ...]], limits.NOT_NEGATIVE] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    flag: Annotated[bool | int, limits.NOT_NEGATIVE] = True


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (Group(Part(renamed=0)), "'part.renamed': must be positive, got 0."),
        (Group(perhaps=1.5), "'perhaps': must lie in 0..1, got 1.5."),
        (Group(sizes={"a": (1, 0), "b": (2, -3)}), "'sizes.b[1]': must be 0 or more, got -3."),
        (Group(parts={"x": Part(), "y": Part(-1)}), "'parts.y.renamed': must be positive, got -1."),
        (Group(Part(free=float("nan"))), "'part.free': must be a finite number, got nan."),
        (Group(Part(free=float("inf")), perhaps=2.0), "'part.free': must be a finite number, got inf."),
        (Group(Part(renamed=-1, free=float("nan"))), "'part.renamed': must be positive, got -1."),
        (Group(sizes={"a": (-1,)}, perhaps=-1.0), "'perhaps': must lie in 0..1, got -1.0."),
    ],
)
def test_a_limit_goes_wherever_its_field_goes(group, told):
    """Whatever the field is called and wherever its group stands; of several mistakes the first is told."""
    with pytest.raises(UserError) as error:
        limits.check(group)
    assert str(error.value) == f"config key {told}"


def test_numbers_within_their_limits_pass():
    limits.check(Group(Part(1, -1e300), 1.0, {"a": (0,), "b": ()}, {"x": Part()}, False))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_may_be_nan_or_infinite(value):
    for key in numbers():
        with pytest.raises(UserError) as error:
            configs.from_dict(with_value(key, value))
        assert key.partition("[")[0] in str(error.value) and str(value) in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("ppo_params.clip_range", 0.0, "must be positive, got 0.0"),
        ("ppo_params.max_grad_norm", -1.0, "must be positive"),
        ("ppo_params.target_kl", -0.1, "must be 0 or more, got -0.1"),
        ("ppo_params.max_kl", -0.1, "must be 0 or more"),
        ("ppo_params.gae_lambda", 1.1, "must lie in 0..1, got 1.1"),
        ("policy_params.net_arch.human_actor[0]", 0, "must lie in 1..65536"),
        ("policy_params.head_options.exo_actor.learning_rate", -1e-3, "must be 0 or more"),
        ("policy_params.head_options.exo_actor.initial_action", 2.0, "must lie in -1..1"),
        ("env_params.num_threads", -1, "must lie in 0..4096"),
        ("env_params.num_envs", 2**31, "must lie in 1..2147483647, got 2147483648"),
        ("env_params.physics_sim_framerate", 10**9, "must lie in 1..20000 Hz"),
        ("env_params.seed", 2**32, "must lie in 0..4294967295"),
        ("logger_params.evaluation_frequency", -1, "must be 0 or more"),
    ],
)
def test_a_number_out_of_its_limits_is_named(key, value, told):
    with pytest.raises(UserError) as error:
        configs.from_dict(with_value(key, value))
    assert f"config key {key!r}: {told}" in str(error.value)


WIRING = {
    "human_actor": {"action": ["muscles"]},
    "exo_actor": {"observation": ["qpos.*"], "action": ["device"]},
    "common_critic": {},
}


def wired(**heads):
    return json.dumps({**WIRING, **heads})


REWARDS = "env_params.reward_keys_and_weights"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"policy_params.net_arch": '{"human_actr": [4], "common_critic": [4]}'}, ("human_actor", "human_actr")),
        ({"policy_params.net_arch": '{"human_actor": [0], "exo_actor": [4], "common_critic": [4]}'}, ("1..65536",)),
        ({"policy_params.head_options": '{"exo_actr": {"frozen": true}}'}, ("'exo_actr'", "'exo_actor'")),
        ({"policy_params.head_options": '{"exo_actor": {"log_std_init": NaN}}'}, ("log_std_init", "finite")),
        (
            {
                "policy_params.net_indexing_info": wired(
                    exo_actor={"observation": ["hip_flexin_*"], "action": ["device"]}
                )
            },
            ("hip_flexin_*", "exo_actor.observation", "hip_flexion_"),
        ),
        (
            {"policy_params.net_indexing_info": wired(exo_actor={"observation": [], "action": ["device"]})},
            ("exo_actor.observation", "names nothing"),
        ),
        ({"policy_params.net_indexing_info": wired(exo_actor={"action": ["devise"]})}, ("'devise'", "'device'")),
        (
            {
                "policy_params.net_arch": '{"critic": [4], "common_critic": [4]}',
                "policy_params.net_indexing_info": '{"critic": {"action": ["muscles", "device"]}, "common_critic": {}}',
                "policy_params.head_options": "{}",
            },
            ("no head can be called 'critic'",),
        ),
        ({"ppo_params.batch_size": "7"}, ("'ppo_params.batch_size'", "7 does not divide")),
        ({f"{REWARDS}.qpos_imitation_rewards": '{"hip_flexin_r": 1}'}, ("'hip_flexin_r'", "'hip_flexion_r'")),
        ({f"{REWARDS}.foward_reward": "1"}, ("'foward_reward'", "'forward_reward'")),
        ({"env_params.observation_joint_pos_keys": '["hip_flexin_r"]'}, ("'hip_flexin_r'", "'hip_flexion_r'")),
        ({"env_params.observation_joint_sensor_keys": '["r_fot"]'}, ("'r_fot'", "'r_foot'")),
        ({"env_params.msk_key": "myolegs23"}, ("'myolegs23'", "myolegs2")),
        ({"env_params.device_key": "Tutorial_L2"}, ("'Tutorial_L2'", "'Tutorial_L1'")),
        ({"env_params.model_path": "no.xml"}, ("env_params.model_path", "no.xml")),
        ({"env_params.reference_data_path": "no.csv"}, ("no.csv",)),
        ({"ppo_params.learning_rate": "NaN"}, ("ppo_params.learning_rate", "finite")),
    ],
)
def test_a_mistake_is_found_before_anything_is_compiled(overrides, words, gait, tmp_path, monkeypatch, capsys):
    """In the config, the wiring or the model: exit code 2, what is wrong and what was meant, and no run's folder."""

    importlib.import_module("mjx_assist.training.loop")  # libraries decorate with jax.jit while they are imported

    def compiling(*_, **__):
        raise AssertionError("something is compiled")

    monkeypatch.setattr(healthy, "healthy_gait", lambda model, name="schwartz2008": gait)
    monkeypatch.setattr(run, "_use_compilation_cache", lambda: None)
    monkeypatch.setattr(jax, "jit", compiling)
    pairs = [word for key, value in overrides.items() for word in (f"--{key}", value)]
    assert main(["train", "walk22_exo", "--env_params.backend", "mujoco", *pairs, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert all(word in error for word in words), error
    assert not list(tmp_path.iterdir())
