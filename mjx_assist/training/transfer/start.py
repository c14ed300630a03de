"""What a run starts with instead of fresh networks: another run's or bundle's, matched by name (`config.InitFrom`)."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax
from brax.training.acme.running_statistics import RunningStatisticsState
from brax.training.types import UInt64

from mjx_assist.config.heads import HeadOptions
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.words import CRITIC, RESET
from mjx_assist.errors import UserError, unknown
from mjx_assist.model.names import actuator_names
from mjx_assist.policy import shipped
from mjx_assist.policy.bundle import reduced_model
from mjx_assist.policy.policy import HeadWeights
from mjx_assist.ppo import learner, networks, sharding
from mjx_assist.sim.observation import varied
from mjx_assist.training.callbacks import Run
from mjx_assist.training.export import has_checkpoints, layers, load_policy, policy_bundle, restored
from mjx_assist.training.transfer import match as transfer_match
from mjx_assist.training.transfer.match import Plan, Source
from mjx_assist.training.transfer.table import DROPPED, FRESH, LOADED, Row, summary, write

UNKNOWN_STD = 0.1  # of an observation that does not vary at the start: too little is corrected sooner than too much
REMEMBERED = 50  # rollouts that loaded statistics weigh as much as: they go on to follow what is seen


def initial_state(run: Run) -> learner.TrainState:
    """The state that the run's config asks to start from; what was done is printed and written into the run.

    Raises:
        UserError: no such policy or head, or one of another shape, activation or symmetry.
    """
    config, state, rows = run.config, run.state, []
    init = config.init_from
    parts = [*run.spec.heads, _critic(run.spec)]
    paths = [config.head_options[part.name].init_from for part in parts]
    sources = {path: _open(config, path) for path in dict.fromkeys([init and init.source, *paths]) if path}
    if not sources:
        return state
    main = next(iter(sources.values()))
    if run.spec.normalized and (init is None or init.normaliser):
        state = state.replace(normaliser=_statistics(run, main, rows))
    plans = [_plan(run, state, part, sources.get(path or ""), rows) for part, path in zip(parts, paths, strict=True)]
    params = dict(jax.device_get(state.params)["params"])
    plans = [plan for plan in plans if plan is not None]
    for plan in plans:
        params |= transfer_match.taken_over(plan, params, plan.theirs.layers, plan.log_std, plan.factor, plan.shift)
    state = state.replace(params={"params": params})
    rows += _unused(run, main)
    if init and init.optimizer:
        state = _with_optimizer(run, state, main, plans, rows)
    if sharding.is_primary():
        write(run.path, rows)
        print(f"starts from {', '.join(sources)}\n\n{summary(rows)}\n", flush=True)
    return jax.device_put(state, sharding.shardings(run.mesh, learner.SPECS))


def _open(config: RunConfig, path: str) -> Source:
    """The policy of a run's newest checkpoint, with all that is there, or a bundle."""
    init, place = config.init_from, shipped.find(path)
    optimizer = init is not None and init.optimizer and path == init.source
    where = f"config key 'init_from' ({path})"
    if has_checkpoints(place):
        fields = ("optimizer", "learning_rate", "returns") if optimizer else ()
        own, env, spec, training = restored(place, fields)
        bundle = policy_bundle(own, env, spec, training, [])
    elif optimizer:
        raise UserError(f"{where}: a bundle has no optimiser state; give the run, or set init_from.optimizer to false.")
    else:
        bundle, training = load_policy(place), None
    return Source(where, bundle, actuator_names(reduced_model(bundle)), training if optimizer else None)


def _critic(spec: networks.PolicySpec) -> networks.Head:
    """The critic as a head that drives nothing."""
    own = spec.critic_observation, (), spec.critic_hidden
    return networks.Head(CRITIC, *own, 0.0, 0.0, mirrored=spec.critic_mirrored)


def _statistics(run: Run, source: Source, rows: list[Row]) -> RunningStatisticsState:
    """The normaliser with the source's mean and deviation of what varied there; the rest as at the walkers' start."""
    names, policy, ppo = run.env.observation_spec.names, source.bundle.policy, run.config.ppo_params
    mirror = run.spec.mirror or run.spec.reflection
    mean, std = (np.array(x) for x in _at_start(run, mirror))
    std = np.where(varied(std), std, UNKNOWN_STD)
    theirs = source.bundle.observation.names
    match, why = transfer_match.match_names(names, theirs, policy.std)
    mean[match.own], std[match.own] = policy.mean[match.theirs], policy.std[match.theirs]
    rows += transfer_match.name_rows("normaliser", "observations", names, theirs, match, why)
    sides = 1 if mirror is None else 2
    count = sides * min(source.bundle.info["control_steps"], REMEMBERED * run.config.env_params.num_envs * ppo.n_steps)
    return run.state.normaliser.replace(
        count=UInt64(hi=jnp.uint32(count >> 32), lo=jnp.uint32(count & 0xFFFFFFFF)),
        mean=jnp.asarray(mean, jnp.float32),
        std=jnp.asarray(std, jnp.float32),
        summed_variance=jnp.asarray(count * std**2, jnp.float32),
    )


def _at_start(run: Run, mirror: networks.Mirror | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the observations of all walkers at the start, of both sides under a mirror."""

    def statistics(obs: jax.Array) -> tuple[jax.Array, jax.Array]:
        seen = obs if mirror is None else jnp.concatenate([obs, networks.mirrored(mirror, obs)])
        return seen.mean(axis=0), seen.std(axis=0)

    same = sharding.shardings(run.mesh, sharding.SAME)
    return jax.device_get(jax.jit(statistics, out_shardings=same)(run.state.env.obs))


def _plan(
    run: Run, state: learner.TrainState, part: networks.Head, source: Source | None, rows: list[Row]
) -> Plan | None:
    """How to take over one head or the critic; None if it starts fresh, and ``rows`` say why."""
    init, options = run.config.init_from, run.config.policy_params.head_options.get(part.name, HeadOptions())
    requested = bool(options.init_from or (init and part.name in init.heads))
    if source is None:
        rows.append(Row(part.name, "network", part.name, FRESH, RESET if requested else ""))
        return None
    policy = source.bundle.policy
    there = {head.name: head for head in (*policy.heads, *([policy.critic] if policy.critic else []))}
    if part.name not in there and requested:
        raise unknown(f"{source.where}: head", part.name, there)
    if part.name not in there or not (there[part.name].enabled or requested):
        rows.append(
            Row(part.name, "network", part.name, FRESH, "switched off there" if part.name in there else "none there")
        )
        return None
    theirs = there[part.name]
    _check_fits(run.spec, part, theirs, source)
    return transfer_match.plan(run, state.normaliser, part, theirs, source, rows)


def _unused(run: Run, source: Source) -> list[Row]:
    names = {head.name for head in run.spec.heads}
    unused = [head.name for head in source.bundle.policy.heads if head.name not in names]
    return [Row(name, "network", name, DROPPED, "no such head here") for name in unused]


def _check_fits(spec: networks.PolicySpec, part: networks.Head, theirs: HeadWeights, source: Source) -> None:
    """Raises ``UserError`` for a network that cannot be taken over as it is."""
    where, policy = f"{source.where}: {part.name}", source.bundle.policy
    sizes = [bias.size for _, bias in theirs.layers[:-1]]
    mend = f"Set init_from.heads.{part.name} to 'reset', or"
    if sizes != list(part.hidden):
        key = f"policy_params.net_arch.{part.name}"
        raise UserError(f"{where} has hidden layers {sizes} there, {list(part.hidden)} here. {mend} {key} to {sizes}.")
    if policy.activation != spec.activation:
        raise UserError(
            f"{where} has the activation {policy.activation!r} there, {spec.activation!r} here. {mend} "
            f"policy_params.activation to {policy.activation!r}."
        )
    if policy.output_activation != spec.output_activation and part.name != CRITIC:
        key = "policy_params.output_activation"
        raise UserError(
            f"{where} ends in {policy.output_activation!r} there, in {spec.output_activation!r} here. {mend} {key} to "
            f"{policy.output_activation!r}."
        )
    both_there = policy.mirror is not None and theirs.mirrored
    if both_there != (spec.mirror is not None and part.mirrored):
        there, here = ("one network for both sides", "one for all")[:: 1 if both_there else -1]
        raise UserError(
            f"{where} is {there} there, {here} here (policy_params.mirror_symmetric). {mend} choose the same."
        )


def _with_optimizer(
    run: Run, state: learner.TrainState, source: Source, plans: Sequence[Plan], rows: list[Row]
) -> learner.TrainState:
    """The state with Adam's moments of what was loaded from ``source``, its step count, learning rate and returns."""
    own, theirs = state.optimizer, source.training
    assert theirs is not None  # only a run has it, and _open refuses others
    loaded = [plan for plan in plans if plan.source is source]
    rows += [Row("optimiser", "moments", plan.name, LOADED if plan.source is source else FRESH) for plan in plans]
    moments = {}
    for moment, power in (("mu", 1), ("nu", 2)):
        there = optax.tree_utils.tree_get(theirs.optimizer, moment)["params"]
        made = dict(jax.device_get(optax.tree_utils.tree_get(own, moment))["params"])
        for plan in loaded:
            log_std = None if plan.log_std is None else there[f"{plan.name}_log_std"]
            made |= transfer_match.taken_over(
                plan, made, layers(there[plan.name]), log_std, np.sign(plan.factor) ** power, 0 * plan.shift
            )
        moments[moment] = {"params": made}
    count = optax.tree_utils.tree_get(theirs.optimizer, "count")
    steered = run.config.ppo_params.target_kl > 0
    return state.replace(
        optimizer=optax.tree_utils.tree_set(own, count=jnp.asarray(count), **moments),
        learning_rate=jnp.asarray(theirs.learning_rate) if steered else state.learning_rate,
        returns=theirs.returns,
    )
