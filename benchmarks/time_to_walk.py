"""How long an untrained policy takes to walk: 33 s without a fall in 9 of 10 episodes, near the reference gait.

Usage: python benchmarks/time_to_walk.py [CONFIG] [--seeds 3] [--limit 3000000] [--seconds S] [--json FILE]
[--config.key VALUE ...]
"""

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp

from mjx_assist import config as configs
from mjx_assist.cli.train import split_overrides
from mjx_assist.eval.gait import summary
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.replay import replay
from mjx_assist.paths import data_path
from mjx_assist.policy.bundle import Bundle
from mjx_assist.ppo import networks, rollout
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training import loop
from mjx_assist.training.export import policy_bundle

EPISODES, STEPS, MAY_FALL = 10, 1000, 1
LEAST_CORRELATION = {"hip": 0.95, "knee": 0.95, "ankle": 0.75}
MOST_RMSE_DEG = {"hip": 6.0, "knee": 8.0, "ankle": 8.0}
SPEED_WITHIN = 0.1  # m/s of what was asked


def time_to_walk(
    config: configs.RunConfig, limit: int, every: int, show: Callable[[str], None], most_s: float = math.inf
) -> dict:
    """Trains one seed until it walks, or for ``limit`` control steps, or for ``most_s``.

    Seconds are of training: not of these checks.
    """
    started = time.perf_counter()
    session, update = loop.open_run(config, Path())
    env, spec, state = session.env, session.spec, session.state
    per_update = config.env_params.num_envs * config.ppo_params.n_steps
    update(jax.tree.map(jnp.copy, state))  # compiles
    survivors = jax.jit(partial(count_survivors, env, networks.ActorCritic(spec)))
    result = {"seed": config.env_params.seed, "setup_s": time.perf_counter() - started, "walked_steps": None}
    seconds, done, walkers, curve = 0.0, 0, 0, []
    last = False
    while not last and result["walked_steps"] is None:
        began = time.perf_counter()
        state, log, _ = update(state)
        log = {name: float(x) for name, x in jax.device_get(log).items()}
        seconds, done = seconds + time.perf_counter() - began, done + per_update
        last = done >= limit or seconds >= most_s
        if (done // per_update) % every and not last:
            continue
        walkers = int(survivors(state.params, state.normaliser)) if log["episode_length"] > 60 else 0
        curve.append([done, seconds, log["episode_length"], log["reward"], walkers])
        show(
            f"{done:>9,} steps {seconds:5.0f} s  episode {log['episode_length']:4.0f}  reward {log['reward']:.4f}  "
            f"kl {log['kl']:.3f}  rate {log['learning_rate']:.1e}  {walkers}/{EPISODES} stay up"
        )
        if walkers >= EPISODES - MAY_FALL or last:
            result |= {"gait": gait(policy_bundle(config, env, spec, jax.device_get(state), []))}
            show(f"          {result['gait']}")
            if walks(result["gait"], config.env_params.min_target_velocity):
                result |= {"walked_steps": done, "walked_s": seconds}
    return {**result, "steps": done, "seconds": seconds, "steps_per_s": done / seconds, "curve": curve}


def count_survivors(env: AssistEnv, model: networks.ActorCritic, params: dict, normaliser) -> jax.Array:
    """How many of the episodes with the mean action stay up: no end by the distance from the reference."""

    def one(carry: tuple, _: None) -> tuple:
        state, up = carry
        mean, _ = model.apply(params, rollout.normalize(normaliser, state.obs), method="actor")
        state = jax.vmap(env.step)(state, mean)
        return (state, up & ~env.fallen(state.pipeline_state.physics.qpos)), None

    state = jax.vmap(env.reset)(jax.random.split(jax.random.PRNGKey(0), EPISODES))
    (_, up), _ = jax.lax.scan(one, (state, jnp.ones(EPISODES, bool)), None, length=STEPS)
    return up.sum()


def gait(bundle: Bundle) -> dict:
    """What `mjx-assist evaluate` measures on the reduced model, for the bounds below."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        records = list(pool.map(partial(_walk, bundle), range(EPISODES)))
    found = summary.summarize(records)
    both = found["both"]
    return {
        "falls": found["falls"],
        "speed_m_s": _round(found["speed_m_s"]),
        "corr": {name: _round(both["corr_reference"][name]) for name in LEAST_CORRELATION},
        "rmse_deg": {name: _round(both["rmse_deg"][name]) for name in MOST_RMSE_DEG},
        "grf_peak_bw": _round(both["grf_peak_bw"]),
    }


def walks(gait: dict, speed: float) -> bool:
    """Whether it is the walk that was asked for."""
    return (
        gait["falls"] <= MAY_FALL
        and abs(gait["speed_m_s"] - speed) <= SPEED_WITHIN
        and all((gait["corr"][name] or 0.0) >= least for name, least in LEAST_CORRELATION.items())
        and all((gait["rmse_deg"][name] or 99.0) <= most for name, most in MOST_RMSE_DEG.items())
    )


def _walk(bundle: Bundle, seed: int) -> GaitRecord:
    return replay(bundle, "reduced", STEPS, seed)


def _round(x: float | None) -> float | None:
    return None if x is None else round(x, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default=str(data_path("configs", "walk22_exo.json")))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--limit", type=int, default=3_000_000, help="control steps after which a seed is given up")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of training, after which a seed is given up")
    parser.add_argument("--every", type=int, default=10, help="updates between checks")
    parser.add_argument("--json", help="write the results here")
    argv, overrides = split_overrides(sys.argv[1:], ("--seeds", "--limit", "--seconds", "--every", "--json", "--help"))
    arguments = parser.parse_args(argv)
    results = []
    for k in range(arguments.seeds):
        config = configs.load(arguments.config, overrides)
        seed = config.env_params.seed + k
        config = configs.load(arguments.config, [*overrides, ("env_params.seed", str(seed))])
        print(f"seed {seed}", flush=True)
        show = partial(print, flush=True)
        results.append(time_to_walk(config, arguments.limit, arguments.every, show, arguments.seconds))
        if arguments.json:
            with open(arguments.json, "w") as file:
                json.dump({"overrides": dict(overrides), "runs": results}, file, indent=1)
    for r in results:
        when = f"{r['walked_steps']:,} steps, {r['walked_s']:.0f} s" if r["walked_steps"] else "did not walk"
        print(f"seed {r['seed']}: {when} ({r['steps_per_s']:,.0f} control steps/s)")


if __name__ == "__main__":
    main()
