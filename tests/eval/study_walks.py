"""Walks of a study as they come out of the simulation, without simulating: what tests of sides have in common."""

from mjx_assist.config.study import Walks

SPEEDS = (1.1, 1.25, 1.4)
WALKS = Walks(speeds=SPEEDS, at_speed=1.25, episodes=1)
MASS, DEVICE = 80.0, 2.0


def figures(speed, power, seed=0, fell=False, share=0.0):
    joint = {"joint": "ankle_angle_r", "torque_peak_nm": 60.0, "torque_rate_peak_nm_per_s": 900.0}
    joint |= {"power_peak_w": 150.0, "positive_power_w": 9.0, "torque_limit_nm": 100.0}
    joint |= {"torque_limit_share_peak": 0.6, "time_at_limit_share": share}
    watts = {"umberger2010": power * (MASS - DEVICE), "bhargava2004": 0.8 * power * (MASS - DEVICE)}
    walked = {"seed": seed, "fell": fell, "time_s": 3.0 if fell else 20.0, "strides": 30, "speed_m_s": speed}
    return {**walked, "body_mass_kg": MASS, "muscle_power_w": watts, "device": [joint]}


def walk_nothing(asked):
    """In the place of `trials.run`: every walk costs 3 W/kg; ``asked`` is told which policy was to walk what."""

    def run(bundles, walks, processes, measure):
        asked.extend((bundles[trial.policy], trial) for trial in walks)
        for i, trial in enumerate(walks):
            yield i, figures(trial.conditions.command.speed[0], 3.0, trial.seed)

    return run
