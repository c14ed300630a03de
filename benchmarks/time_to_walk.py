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
import numpy as np

from mjx_assist import config as configs
from mjx_assist.cli.train import split_overrides
from mjx_assist.eval.gait import angles, cycles, summary
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.replay import replay
from mjx_assist.paths import data_path
from mjx_assist.policy.bundle import Bundle
from mjx_assist.ppo import networks, rollout
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import command
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training import loop
from mjx_assist.training.export import policy_bundle

EPISODES, STEPS, MAY_FALL = 10, 1000, 1
LEAST_CORRELATION = {"hip": 0.95, "knee": 0.95, "ankle": 0.75}
MOST_RMSE_DEG = {"hip": 6.0, "knee": 8.0, "ankle": 8.0}
SPEED_WITHIN = 0.1  # m/s of what was asked
UPRIGHT_STEPS = 60  # control steps that episodes of training last before a policy is worth a look


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
    look = jax.jit(partial(glance, env, networks.ActorCritic(spec)))
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
        walkers, seen = 0, None
        if log["episode_length"] > UPRIGHT_STEPS or last:
            walkers, seen = jax.device_get(look(state.params, state.normaliser))
        curve.append([done, seconds, log["episode_length"], log["reward"], int(walkers)])
        show(
            f"{done:>9,} steps {seconds:5.0f} s  episode {log['episode_length']:4.0f}  reward {log['reward']:.4f}  "
            f"kl {log['kl']:.3f}  rate {log['learning_rate']:.1e}  {walkers}/{EPISODES} stay up"
        )
        if last or (seen and walks(seen, config.env_params.min_target_velocity)):
            result |= {"gait": gait(policy_bundle(config, env, spec, jax.device_get(state), []))}
            show(f"          {result['gait']}")
            if walks(result["gait"], config.env_params.min_target_velocity):
                result |= {"walked_steps": done, "walked_s": seconds}
    return {**result, "steps": done, "seconds": seconds, "steps_per_s": done / seconds, "curve": curve}


def glance(env: AssistEnv, model: networks.ActorCritic, params: dict, normaliser) -> tuple[jax.Array, dict]:
    """How many episodes with the mean action stay up, and how they walk, by the physics that trains.

    No end by the distance from the reference. What it says is what `gait` measures in C MuJoCo, in a tenth of a second.
    """

    def one(carry: tuple, _: None) -> tuple:
        state, up = carry
        mean, _ = model.apply(params, rollout.normalize(model.spec, normaliser, state.obs), method="actor")
        state = jax.vmap(env.step)(state, mean)
        walker = state.pipeline_state
        target = jax.vmap(lambda w: command.target_velocity(w.command, w.physics.time, jnp))(walker)
        wanted, _, _ = jax.vmap(lambda phase, v: sample(env.gait, phase, v, jnp))(walker.phase, target)
        up &= ~env.fallen(walker.physics.qpos)
        return (state, up), (walker.physics.qpos, wanted)

    state = jax.vmap(env.reset)(jax.random.split(jax.random.PRNGKey(0), EPISODES))
    start = (state, jnp.ones(EPISODES, bool))
    (_, up), (qpos, wanted) = jax.lax.scan(one, start, None, length=STEPS)
    settled = min(round(summary.WARM_UP_S / env.dt), STEPS // 2)
    qpos, wanted = qpos[settled:], wanted[settled:]
    figures: dict = {"corr": {}, "rmse_deg": {}}
    for name in LEAST_CORRELATION:
        columns = np.flatnonzero([cycles.base_name(joint) == angles.SAGITTAL[name].coordinate for joint in env.joints])
        walked, asked = qpos[..., columns], wanted[..., columns]
        figures["rmse_deg"][name] = jnp.degrees(jnp.sqrt(((walked - asked) ** 2).mean(0)).mean())
        walked, asked = walked - walked.mean(0), asked - asked.mean(0)
        alike = (walked * asked).mean(0) / jnp.sqrt((walked**2).mean(0) * (asked**2).mean(0))
        figures["corr"][name] = alike.mean()
    forward = qpos[..., env.joints.index("pelvis_tx")]
    figures["speed_m_s"] = ((forward[-1] - forward[0]) / (env.dt * (len(forward) - 1))).mean()
    return up.sum(), {**figures, "falls": EPISODES - up.sum()}


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
            with open(arguments.json, "w", encoding="utf-8") as file:
                json.dump({"overrides": dict(overrides), "runs": results}, file, indent=1)
    for r in results:
        when = f"{r['walked_steps']:,} steps, {r['walked_s']:.0f} s" if r["walked_steps"] else "did not walk"
        print(f"seed {r['seed']}: {when} ({r['steps_per_s']:,.0f} control steps/s)")


if __name__ == "__main__":
    main()
