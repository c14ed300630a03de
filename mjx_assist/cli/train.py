"""The command `train`. Everything that the config alone can tell is checked before JAX is imported."""

import argparse
import dataclasses
import difflib
import json
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist import myoassist
from mjx_assist.cli.arguments import POLICY, Parser, add_walker, natural, positive, several, walker_keys
from mjx_assist.cli.person import add_person, person_keys
from mjx_assist.config.read import config_file
from mjx_assist.config.schema import RunConfig
from mjx_assist.errors import UserError, note
from mjx_assist.paths import BEST, POLICY_FOLDER, SESSION_CONFIG
from mjx_assist.training import origin, run, seeds

Overrides = list[tuple[str, str]]
_THEIR_PREFIX, _CONFIG_FILE = "config.", "--config_file_path"  # of MyoAssist's command line
_THEIR_FLAGS = (
    *(_CONFIG_FILE, "--flag_rendering", "--no-flag_rendering"),
    *("--flag_realtime_evaluate", "--no-flag_realtime_evaluate"),
)


def add_train(parser: Parser) -> None:
    parser.usage = "mjx-assist train CONFIG [--human HUMAN] [--device DEVICE] [--subject FILE]"
    parser.usage += " [--any.config.key VALUE ...] [--out DIR] [--init-from POLICY] [--resume RUN] [--seeds N]"
    text = "a JSON file, one of MyoAssist's too, or a preset such as walk22_exo"
    parser.add_argument("config", metavar="CONFIG", nargs="?", help=text)
    text = "of a MyoAssist config take the task alone (who walks, where, how fast), and our own rest"
    parser.add_argument("--as-mjx", action="store_true", help=text)
    add_walker(parser)
    add_person(parser)
    parser.add_argument(
        "--out", metavar="DIR", default="results", help="the folder for the run's own (default: results)"
    )
    text = "the run's folder in DIR (default: train_session_<time>)"
    parser.add_argument("--name", metavar="NAME", help=text)
    parser.add_argument("--resume", metavar="RUN", help="go on with this run; CONFIG may then be left out")
    text = "start from this policy's networks instead of fresh ones (a shipped one by name); more in init_from.*"
    parser.add_argument("--init-from", metavar=POLICY, help=text)
    text = "train nothing: tell what would run, its sizes, and from two updates its time and memory"
    parser.add_argument("--dry-run", action="store_true", help=text)
    text = "several hosts, one run: the address of the first, or 'auto' where JAX knows the cluster (Slurm, ...)"
    parser.add_argument("--hosts", metavar="HOST:PORT", help=text)
    parser.add_argument("--host-count", metavar="N", type=positive, help="how many hosts there are")
    parser.add_argument("--host-index", metavar="I", type=natural, help="which of them this is, from 0")
    text = "this many runs one after another, each with a seed of its own, in one folder; then mean and spread"
    parser.add_argument("--seeds", metavar="N", type=several, help=text)
    text = "log to Weights & Biases too (pip install 'mjx-assist[wandb]'; default project: mjx-assist)"
    parser.add_argument("--wandb", metavar="PROJECT", nargs="?", const="mjx-assist", help=text)
    parser.epilog = (
        "Every key of the config is a flag: --env_params.num_envs 512. Another walker: --human myolegs26 --device "
        "STRIDE_L2 (see 'mjx-assist models list'), or --human FILE.xml; the preset 'walk' serves them all. What every "
        "key means: mjx-assist configs keys [WORD], docs/config.md"
    )
    parser.set_defaults(run=train)


def train(arguments: argparse.Namespace) -> None:
    """Train, export the policy into the run's folder, draw its curves, say where everything is."""
    old = Path(arguments.resume) if arguments.resume else None
    if old and myoassist.is_policy(old):
        raise UserError(
            f"--resume {str(old)!r} is MyoAssist's, whose optimiser and env are not ours; start a run from its policy: "
            f"mjx-assist train CONFIG --init-from {old}"
        )
    if arguments.init_from and old:
        raise UserError(f"--init-from with --resume: {str(old)!r} has begun; leave --init-from out.")
    arguments.overrides = [*walker_keys(arguments), *person_keys(arguments), *arguments.overrides]
    if arguments.init_from:
        arguments.overrides = [("init_from.source", json.dumps(arguments.init_from)), *arguments.overrides]
    if arguments.name and old:
        raise UserError(f"--name with --resume: {str(old)!r} has its name; leave --name out.")
    if arguments.dry_run:
        _dry_run(arguments, old)
        return
    if arguments.seeds or (old and seeds.is_parent(old)):
        _train_seeds(arguments)
        return
    config = _config(arguments, old)
    if not old:
        run.check_sources(config)
    _start_jax(arguments, origin.with_own_files(old, config) if old else config)
    callbacks = _callbacks(arguments)
    path = old or run.new_folder(arguments.out, arguments.name)
    done = run.train_in(path, config, old is not None, callbacks)

    from mjx_assist.ppo import sharding

    if sharding.is_primary():
        _tell(done)


def _dry_run(arguments: argparse.Namespace, old: Path | None) -> None:
    """What this training would be."""
    if old and seeds.is_parent(old):
        raise UserError(f"--dry-run with --resume {str(old)!r}: give one of its runs.")
    config = _config(arguments, old)
    run.check_sources(config)
    _start_jax(arguments, config)

    from mjx_assist.training import dry_run

    for what, value in dry_run.rows(config):
        print(f"{what:<12} {value}")
    times = f"{arguments.seeds} times that, with a seed each" if arguments.seeds else "nothing was written"
    print(f"{'':<12} {times}; without --dry-run it begins")


def _config(arguments: argparse.Namespace, old: Path | None) -> RunConfig:
    """CONFIG with its overrides; to go on with an ``old`` run, its own config in the place of a CONFIG not given."""
    if not old:
        return _load(arguments)
    own = old / SESSION_CONFIG
    origin.config_of(old)  # or it is no run
    config = _load(arguments) if arguments.config else configs.load(own, arguments.overrides)
    origin.checked(old, config)
    return config


def _load(arguments: argparse.Namespace) -> RunConfig:
    """CONFIG with its overrides; one of MyoAssist's translated, with a table of what became of its keys."""
    path = config_file(arguments.config)
    translated = myoassist.load(path, arguments.overrides, arguments.as_mjx)
    if translated is None and arguments.as_mjx:
        raise UserError(f"--as-mjx: {arguments.config!r} is no config of MyoAssist's; leave --as-mjx out.")
    if translated is None:
        return configs.load(path, arguments.overrides)
    print(f"{path}: a config of MyoAssist's\n\n{translated.sheet.table()}\n", flush=True)
    return translated.checked()


def _start_jax(arguments: argparse.Namespace, config: RunConfig) -> None:
    several = arguments.hosts or arguments.host_count or arguments.host_index is not None
    run.start_jax(config, (lambda: _join_hosts(arguments)) if several else None)


def _join_hosts(arguments: argparse.Namespace) -> None:
    """Several hosts, one run: ``--hosts auto`` in a cluster that JAX knows, else the first host's address."""
    from mjx_assist.ppo import sharding

    if not arguments.hosts:
        raise UserError("--host-count and --host-index go with --hosts HOST:PORT, the address of the first host.")
    if arguments.hosts == "auto":
        sharding.join_hosts(None, arguments.host_count, arguments.host_index)
        return
    address, _, port_number = arguments.hosts.rpartition(":")
    if not address or not (port_number.isdecimal() and 0 < int(port_number[:6]) < 2**16):
        raise UserError(f"--hosts {arguments.hosts!r}: must be HOST:PORT with a port from 1 to 65535, or 'auto'.")
    if arguments.host_count is None or arguments.host_index is None:
        raise UserError(f"--hosts {arguments.hosts}: give --host-count N and --host-index I (0..N-1) too.")
    if arguments.host_index >= arguments.host_count:
        raise UserError(f"--host-index {arguments.host_index}: must be less than --host-count {arguments.host_count}.")
    sharding.join_hosts(arguments.hosts, arguments.host_count, arguments.host_index)


def _callbacks(arguments: argparse.Namespace, group: str | None = None) -> list:
    """Callbacks that a flag asks for; several runs of one ``group`` belong together."""
    if not arguments.wandb:
        return []
    from mjx_assist.training.wandb_log import WeightsAndBiases

    return [WeightsAndBiases(arguments.wandb, group)]


def _train_seeds(arguments: argparse.Namespace) -> None:
    """Runs with seeds one after another, in ``seed_<seed>/`` of one folder; finished ones are left as they are."""
    if arguments.hosts:
        raise UserError("--seeds and --hosts: runs with several seeds are made on one host.")
    parent = Path(arguments.resume) if arguments.resume else None
    if parent and arguments.seeds:
        raise UserError(f"--seeds with --resume: {str(parent)!r} has its seeds; leave --seeds out.")
    if parent:
        runs = [(path, _config(_with_seed(arguments, path), path)) for path in seeds.runs_in(parent)]
    else:
        runs = seeds.new_runs(_load(arguments), arguments.seeds)
    _start_jax(arguments, runs[0][1])
    _callbacks(arguments)  # a package that is missing is told before anything is written
    if not parent:
        parent, runs = seeds.make_folders(Path(arguments.out), runs, arguments.name)
    seeds.train(parent, runs, lambda: _callbacks(arguments, parent.name))
    figures, plots = seeds.summarize(parent, [path for path, _ in runs])
    print(f"\n{seeds.as_table(figures)}")
    print(f"\nruns    {parent}\nfigures {parent / seeds.SEEDS_FILE}\nplots   {plots}")


def _with_seed(arguments: argparse.Namespace, path: Path) -> argparse.Namespace:
    """The arguments for one run of several, which keeps its own seed."""
    seed = ("env_params.seed", str(origin.config_of(path).env_params.seed))
    return argparse.Namespace(**{**vars(arguments), "overrides": [*arguments.overrides, seed]})


def split_overrides(argv: Sequence[str], flags: Sequence[str]) -> tuple[list[str], Overrides]:
    """Take ``--config.key VALUE`` (or ``--config.key=VALUE``) pairs out of ``argv``; ``flags`` are no config keys.

    Raises:
        UserError: a key that the config does not have, or a key without a value.
    """
    rest: list[str] = []
    overrides: Overrides = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name in flags:
            rest.append(word)
            continue
        if name in _THEIR_FLAGS:
            _their_flag(name, equals, value, rest, words)
            continue
        key = name[2:].removeprefix(_THEIR_PREFIX)
        if key.split(".")[0] not in (f.name for f in dataclasses.fields(RunConfig)):
            raise _unknown_key(key, flags)
        if not equals:
            value = next(words, "--")
        if value.startswith("--"):
            raise UserError(f"{name}: its VALUE is missing; write {name} VALUE.")
        overrides.append((key, value))
    return rest, overrides


def _their_flag(name: str, equals: str, value: str, rest: list[str], words: Iterator[str]) -> None:
    """A flag of MyoAssist's `run_train.py`: what it means here."""
    if name == _CONFIG_FILE:
        rest.append(value if equals else next(words, ""))
    elif name == "--flag_realtime_evaluate":
        raise UserError(
            f"{name}: watch a trained policy with: mjx-assist replay RUN, or its zip or session (--web: browser)"
        )
    elif name == "--flag_rendering":
        note(f"{name}: training opens no window; watch what it has learned, meanwhile or later: mjx-assist replay RUN")


def config_keys(kind: type = RunConfig, stem: str = "") -> Iterator[str]:
    """Every dotted key of a run config, groups left out."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from config_keys(hints[field.name], f"{stem}{field.name}.")
        else:
            yield stem + field.name


def _unknown_key(key: str, flags: Sequence[str]) -> UserError:
    keys = list(config_keys())
    near = [k for k in keys if k.split(".")[-1] == key.split(".")[-1]]
    near = near or difflib.get_close_matches(key, [*keys, *(f[2:] for f in flags)], n=1, cutoff=0.5)
    hint = f" Did you mean --{near[0]}?" if near else ""
    return UserError(f"--{key} is neither a flag of 'mjx-assist train' nor a key of the config.{hint}")


def _tell(done) -> None:
    """Where everything of a finished run is, and what can be done with it."""
    path, row = done.path, done.row
    took = f" in {row['wall_s'] / 60:.1f} min" if row else ""
    print(f"\ntrained {done.control_steps:,} control steps{took}")
    print(f"run     {path}\npolicy  {path / POLICY_FOLDER}\nplots   {path / 'plots'}")
    if (path / BEST).exists():
        print(f"best    {path / BEST}: the policy that walked best while it was trained")
    print(f"\nnext:\n  mjx-assist evaluate {path}")
    print(f"  mjx-assist evaluate {path} --model full")
    print(f"  mjx-assist report {path} -o {path / 'analyze_results'}")
    print(f"  mjx-assist replay {path}", flush=True)
