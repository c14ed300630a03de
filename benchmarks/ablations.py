"""What makes it learn fast: time to walk with one thing at a time changed. Finished rows are kept in the JSON file.

Usage: python benchmarks/ablations.py --json FILE [--seeds 2] [--limit 1500000] [NAME ...]
"""

import argparse
import json
from functools import partial
from pathlib import Path

from time_to_walk import time_to_walk

from mjx_assist import config as configs
from mjx_assist.paths import data_path

PRESET = "walk22_exo.json"
SHIPPED = "as shipped"
PPO, ENV, POLICY, REWARD = "ppo_params.", "env_params.", "policy_params.", "env_params.reward_keys_and_weights."
CHANGES: dict[str, dict[str, str]] = {
    SHIPPED: {},
    "rollouts of 16 steps": {PPO + "n_steps": "16", PPO + "batch_size": "1024"},
    "rollouts of 32 steps": {PPO + "n_steps": "32", PPO + "batch_size": "2048"},
    "minibatches twice as large": {PPO + "batch_size": "1024"},
    "3 epochs": {PPO + "n_epochs": "3"},
    "KL target 0.02": {PPO + "target_kl": "0.02"},
    "KL target 0.12": {PPO + "target_kl": "0.12"},
    "constant learning rate 3e-4": {PPO + "target_kl": "0"},
    "no advantage normalisation": {PPO + "normalize_advantage": "false"},
    "reward normalisation": {PPO + "normalize_reward": "true"},
    "gamma 0.95 (0.65 s)": {PPO + "gamma": "0.95"},
    "gamma 0.99 (3.3 s)": {PPO + "gamma": "0.99"},
    "start at phase 0 only": {ENV + "flag_random_ref_index": "false"},
    "no end by distance from the reference": {ENV + "out_of_trajectory_threshold": "100"},
    "no symmetry": {POLICY + "mirror_symmetric": "false"},
    "mirror loss (Yu 2018), weight 4": {POLICY + "mirror_symmetric": "false", PPO + "mirror_loss_coef": "4"},
    "no reward for smooth activation": {REWARD + "muscle_activation_diff_penalty": "0"},
    "initial activation 0.25": {POLICY + "head_options.human_actor.initial_action": "-0.5"},
    "log std -1.4": {POLICY + "log_std_init": "-1.4"},
    "log std -0.7": {POLICY + "log_std_init": "-0.7"},
    "ELU": {POLICY + "activation": "elu"},
    "64 x 64 networks": {POLICY + "net_arch": '{"human_actor":[64,64],"exo_actor":[32,32],"common_critic":[64,64]}'},
    "gait phase not observed": {ENV + "observe_gait_phase": "false"},
}


def run(change: dict[str, str], seed: int, limit: int) -> dict:
    """Time to walk of one seed with one change; `time_to_walk.time_to_walk`."""
    overrides = [*change.items(), (ENV + "seed", str(seed))]
    config = configs.load(data_path("configs", PRESET), overrides)
    per_update = config.env_params.num_envs * config.ppo_params.n_steps
    return time_to_walk(config, limit, max(1, 80_000 // per_update), partial(print, flush=True))


def table(results: dict[str, list[dict]]) -> str:
    """A markdown table, a row per change, figures of all seeds."""
    lines = [
        "| change | control steps until it walks | seconds | episode length at 0.5 M | r hip, knee, ankle at the end |",
        "|---|---|---|---|---|",
    ]
    for name, runs in results.items():
        steps = [
            f"{r['walked_steps'] / 1e6:.2f} M" if r["walked_steps"] else f"> {r['steps'] / 1e6:.1f} M" for r in runs
        ]
        seconds = [f"{r['walked_s']:.0f}" if r["walked_steps"] else "-" for r in runs]
        early = [f"{min(r['curve'], key=lambda row: abs(row[0] - 5e5))[2]:.0f}" for r in runs]
        gaits = ["/".join(f"{x:.2f}" for x in r["gait"]["corr"].values()) if "gait" in r else "falls" for r in runs]
        lines.append(
            f"| {name} | {', '.join(steps)} | {', '.join(seconds)} | {', '.join(early)} | {', '.join(gaits)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(CHANGES))
    parser.add_argument("--json", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--limit", type=int, default=1_500_000)
    arguments = parser.parse_args()
    results = json.loads(arguments.json.read_text(encoding="utf-8")) if arguments.json.exists() else {}
    first = configs.load(data_path("configs", PRESET)).env_params.seed
    for seed in range(arguments.seeds):
        for name in arguments.names:
            if len(results.get(name, [])) > seed:
                continue
            print(f"{name}, seed {first + seed}", flush=True)
            results.setdefault(name, []).append(run(CHANGES[name], first + seed, arguments.limit))
            arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
