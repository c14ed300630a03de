"""The commands `train` and `export`. Everything that the config alone can tell is checked before JAX is imported."""

import argparse
import contextlib
import dataclasses
import difflib
import io
import json
import os
import sys
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist.config import EnvParams, RunConfig
from mjx_assist.data import data_path
from mjx_assist.errors import UserError, unknown

SESSION_CONFIG = "session_config.json"
# What may change when a run goes on; everything else is part of the state that its checkpoints hold.
MAY_CHANGE = (
    *("total_timesteps", "evaluate_param_list", "logger_params", "ppo_params"),
    *("env_params.backend", "env_params.num_threads"),
)
MAY_NOT_CHANGE = ("ppo_params.n_steps", "ppo_params.learning_rate")  # the rate is part of the state

Overrides = list[tuple[str, str]]


def train(arguments: argparse.Namespace) -> None:
    """Train, export the policy into the run's folder, draw its curves, say where everything is."""
    resume = Path(arguments.resume) if arguments.resume else None
    if arguments.init_from and resume:
        raise UserError(f"--init-from with --resume: {str(resume)!r} has begun; leave --init-from out.")
    if arguments.init_from:
        arguments.overrides = [("init_from.source", json.dumps(arguments.init_from)), *arguments.overrides]
    if arguments.seeds or (resume and list(resume.glob(f"seed_*/{SESSION_CONFIG}"))):
        from mjx_assist.cli_runs import train_seeds

        train_seeds(arguments)
        return
    config = resumed(arguments, resume) if resume else configs.load(config_file(arguments), arguments.overrides)
    if not resume:
        _check_sources(config)
    start_jax(arguments, config)

    from mjx_assist.ppo import sharding
    from mjx_assist.ppo import train as training

    first = sharding.is_primary()
    callbacks = more_callbacks(arguments)
    run = resume or Path(sharding.same_on_all(str(training.new_run_directory(Path(arguments.out))) if first else ""))
    session = train_run(config, run, resume is not None, callbacks)
    if first:
        _tell(session)


def start_jax(arguments: argparse.Namespace, config: RunConfig) -> None:
    """What remains to be checked, then JAX with its compilation cache, and the other hosts."""
    _check_model(config.env_params)
    _use_compilation_cache()
    if arguments.hosts or arguments.host_count or arguments.host_index is not None:
        _join_hosts(arguments)
    _import_mjx_quietly()


def more_callbacks(arguments: argparse.Namespace, group: str | None = None) -> list:
    """Callbacks that a flag asks for; several runs of one ``group`` belong together."""
    if not arguments.wandb:
        return []
    from mjx_assist.ppo.wandb_log import WeightsAndBiases

    return [WeightsAndBiases(arguments.wandb, group)]


def train_run(config: RunConfig, run: Path, resume: bool, callbacks: Sequence = ()):
    """One run in its folder, with its policy and curves at the end; returns its `ppo.callbacks.Session`."""
    from mjx_assist.eval import bundle as bundles
    from mjx_assist.eval.export import POLICY_FOLDER, policy_bundle
    from mjx_assist.evaluation import Evaluation
    from mjx_assist.ppo import sharding
    from mjx_assist.ppo import train as training
    from mjx_assist.ppo.callbacks import read_log
    from mjx_assist.transfer import initial_state

    first = sharding.is_primary()
    if first:
        print(f"run {run}: log, TensorBoard events and checkpoints go there", flush=True)
    if resume and first:
        training.write_atomic(run / SESSION_CONFIG, json.dumps(configs.to_dict(config), indent=2) + "\n")
    try:
        callbacks = [Evaluation(), *callbacks]
        session = training.train(config, run, resume=resume, callbacks=callbacks, prepare=initial_state)
    except UserError:
        if first:
            _remove_if_empty(run)
            _draw(run)
        raise
    if first:
        bundle = policy_bundle(session.config, session.env, session.spec, session.state, read_log(run))
        bundles.save(bundle, run / POLICY_FOLDER)
        _draw(run)
        if config.evaluate_param_list:
            from mjx_assist.eval.analyze import analyze

            for folder in analyze(bundle, run, session.control_steps):
                print(f"report {folder}", flush=True)
    return session


def _draw(run: Path) -> None:
    """The run's curves; a disk that is full does not hide why the run ended."""
    from mjx_assist.eval import training_plots

    try:
        training_plots.draw([run], run / training_plots.PLOTS)
    except UserError as error:
        print(f"no plots: {error}", file=sys.stderr)


def _join_hosts(arguments: argparse.Namespace) -> None:
    """Several hosts, one run: ``--hosts auto`` in a cluster that JAX knows, else the first host's address."""
    from mjx_assist.ppo import sharding

    if not arguments.hosts:
        raise UserError("--host-count and --host-index go with --hosts HOST:PORT, the address of the first host.")
    if arguments.hosts == "auto":
        sharding.join_hosts(None, arguments.host_count, arguments.host_index)
        return
    if arguments.host_count is None or arguments.host_index is None:
        raise UserError(f"--hosts {arguments.hosts}: give --host-count N and --host-index I (0..N-1) too.")
    if arguments.host_index >= arguments.host_count:
        raise UserError(f"--host-index {arguments.host_index}: must be less than --host-count {arguments.host_count}.")
    sharding.join_hosts(arguments.hosts, arguments.host_count, arguments.host_index)


def export(arguments: argparse.Namespace) -> None:
    """Write the policy of a run's newest checkpoint as a bundle."""
    run, out = Path(arguments.run_folder), Path(arguments.out)
    if not (run / SESSION_CONFIG).is_file():
        raise UserError(f"{str(run)!r} is not a training run: it has no {SESSION_CONFIG}.")

    from mjx_assist.eval import bundle as bundles
    from mjx_assist.eval.export import export_run

    _import_mjx_quietly()
    bundles.save(export_run(run), out)
    print(f"policy {out}")


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
        key = name[2:]
        if key.split(".")[0] not in (f.name for f in dataclasses.fields(RunConfig)):
            raise _unknown_key(key, flags)
        if not equals:
            value = next(words, "--")
        if value.startswith("--"):
            raise UserError(f"{name}: its VALUE is missing; write {name} VALUE.")
        overrides.append((key, value))
    return rest, overrides


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


def config_file(arguments: argparse.Namespace) -> Path:
    """The CONFIG argument as a file: a path, or the name of a shipped preset."""
    text = arguments.config
    presets = sorted(path.stem for path in data_path("configs").glob("*.json"))
    if text is None:
        raise UserError(f"CONFIG is missing: give a JSON file or a shipped preset ({', '.join(presets)}).")
    path = Path(text)
    if path.is_file():
        return path
    if path.name == text:
        if path.name.removesuffix(".json") not in presets:
            raise unknown(f"there is no file {text!r}; as a shipped preset", text, presets)
        return data_path("configs", path.name.removesuffix(".json") + ".json")
    raise UserError(f"config file {text!r} does not exist. Shipped presets, by name: {', '.join(presets)}.")


def resumed(arguments: argparse.Namespace, run: Path) -> RunConfig:
    """The config to go on with: CONFIG if it is given, else the run's own, with overrides.

    Raises:
        UserError: ``run`` is no run, or the config differs from the run's where its checkpoints cannot follow.
    """
    own = run / SESSION_CONFIG
    if not own.is_file():
        raise UserError(f"--resume {str(run)!r} is not a training run: it has no {SESSION_CONFIG}.")
    config = configs.load(config_file(arguments) if arguments.config else own, arguments.overrides)
    before, now = (dict(_leaves(configs.to_dict(c))) for c in (configs.load(own), config))
    changed = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    fixed = [key for key in changed if _under(key, MAY_NOT_CHANGE) or not _under(key, MAY_CHANGE)]
    if fixed:
        told = f"{fixed[0]} was {before.get(fixed[0])!r} and would be {now.get(fixed[0])!r}"
        more = f" (and {len(fixed) - 1} more)" if len(fixed) > 1 else ""
        raise UserError(f"--resume {str(run)!r}: {told}{more}; its checkpoints do not fit that. Start a new run.")
    return config


def _leaves(tree: dict, stem: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{stem}{key}.")
        else:
            yield stem + key, value


def _under(key: str, stems: Sequence[str]) -> bool:
    return any(key == stem or key.startswith(f"{stem}.") for stem in stems)


def _check_model(env: EnvParams) -> None:
    """Raises `UserError` for a human or device that assist_sim does not have, or a model file that is not there."""
    from mjx_assist.sim.assembly import NO_DEVICE, check_keys

    if env.model_path is None:
        check_keys(env.msk_key, env.device_key or NO_DEVICE)
    elif not Path(env.model_path).is_file():
        raise UserError(f"config key 'env_params.model_path': there is no file {env.model_path!r}.")


def _check_sources(config: RunConfig) -> None:
    """Raises `UserError` for a policy to start from that is not there."""
    from mjx_assist.eval.export import find_policy

    sources = [config.init_from.source] if config.init_from else []
    for source in [*sources, *(options.init_from for options in config.head_options.values() if options.init_from)]:
        find_policy(source)


def _use_compilation_cache() -> None:
    """Keep compiled programs between runs, in JAX_COMPILATION_CACHE_DIR or the user's cache folder."""
    import jax

    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)

    if "JAX_COMPILATION_CACHE_DIR" in os.environ:  # JAX reads it itself
        return
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    jax.config.update("jax_compilation_cache_dir", str(Path(base) / "mjx-assist" / "jax"))


def _import_mjx_quietly() -> None:
    """MJX prints a line where Warp is not installed; only the ``warp`` backend needs it, and says so itself."""
    with contextlib.redirect_stdout(io.StringIO()):
        import mujoco.mjx  # noqa: F401


def _remove_if_empty(run: Path) -> None:
    """A run that failed before it began leaves no folder behind."""
    if not any(run.iterdir()):
        run.rmdir()


def _tell(session) -> None:
    """Where everything of a finished run is, and what can be done with it."""
    run, row = session.run, session.row
    took = f" in {row['wall_s'] / 60:.1f} min" if row else ""
    print(f"\ntrained {session.control_steps:,} control steps{took}")
    print(f"run     {run}\npolicy  {run / 'policy'}\nplots   {run / 'plots'}")
    if (run / "best").exists():
        print(f"best    {run / 'best'}: the policy that walked best while it was trained")
    print(f"\nnext:\n  mjx-assist evaluate {run}")
    print(f"  mjx-assist evaluate {run} --model full")
    print(f"  mjx-assist report {run} -o {run / 'analyze_results'}")
    print(f"  mjx-assist replay {run}", flush=True)
