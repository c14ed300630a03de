"""Our PPO learns small brax tasks as well as brax's own, with the same steps, networks and hyperparameters."""

import statistics

import brax_tasks
import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("task", ["inverted_pendulum", "inverted_double_pendulum"])
def test_returns_are_not_worse_than_those_of_brax(task):
    """Mean of three seeds, within the larger spread of the two; and far above doing nothing."""
    row = brax_tasks.compare(task, brax_tasks.STEPS[task], seeds=3)
    ours, theirs = row["ours"], row["brax"]
    spread = max(statistics.stdev(ours), statistics.stdev(theirs))
    assert statistics.fmean(ours) >= statistics.fmean(theirs) - spread - 0.01 * abs(statistics.fmean(theirs)), row
    assert min(ours) > 3 * row["untrained"], row
