"""Comparisons: the table against figures counted by hand, the files it writes, and what the command refuses."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.cli.arguments import parts_of, short_names, speeds_of
from mjx_assist.cli.main import main
from mjx_assist.config.around import EvaluateParams
from mjx_assist.errors import UserError
from mjx_assist.eval.gait import metrics
from mjx_assist.eval.gait.metabolics import metabolic_summary
from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.report.evaluations import analyze, commanded
from mjx_assist.eval.studies import compare
from mjx_assist.eval.studies.cases import cases_of
from mjx_assist.eval.studies.compare import EpisodeFigures, Walks


def walks(case, means, speed=1.25, spread=0.1, group="metabolic", figure="power_w_per_kg", fell=()):
    """A case whose episode e has ten strides around ``means[e]``."""
    around = spread * np.linspace(-1, 1, 10)
    episodes = []
    for seed, mean in enumerate(means):
        figures = {name: {} for name in compare.GROUPS}
        figures["kinematics"] = {"speed_m_s": np.full(0 if seed in fell else 10, speed)}
        figures[group] = figures[group] | {figure: mean + (around if seed not in fell else around[:0])}
        episodes.append(EpisodeFigures(seed, seed in fell, 1.0 if seed in fell else 30.0, figures, {}))
    return Walks(case, speed, tuple(episodes))


def row(rows, case, figure="power_w_per_kg"):
    return next(r for r in rows if r["case"] == case and r["figure"] == figure)


def test_differences_are_to_the_baseline_over_the_same_seeds():
    base = np.array([4.0, 4.4, 3.9, 4.2, 4.1, 4.3])
    rows = compare.rows([walks("learned", base - 0.4), walks("off", base)], "off")
    learned, off = row(rows, "learned"), row(rows, "off")
    assert off["mean"] == pytest.approx(base.mean())
    assert learned["difference"] == pytest.approx(-0.4)
    assert learned["difference_percent"] == pytest.approx(-40 / base.mean())
    assert (learned["low"], learned["high"]) == pytest.approx((-0.4, -0.4))  # what the seeds share drops out
    assert off["mean_low"] < base.mean() < off["mean_high"]
    assert "difference" not in off
    assert learned["strides"] == 60


def test_a_case_against_itself_differs_by_nothing():
    rows = compare.rows([walks("a", [1.0, 2, 3, 4, 5]), walks("b", [1.0, 2, 3, 4, 5])], "a")
    assert (row(rows, "b")["low"], row(rows, "b")["difference"], row(rows, "b")["high"]) == (0, 0, 0)


def test_seeds_that_one_case_did_not_walk_do_not_bias_the_difference():
    """The seed with the highest power fell in one case: means over what was walked differ, the paired ones do not."""
    base = np.array([4.0, 4.4, 3.9, 4.2, 4.1, 9.0])
    rows = compare.rows([walks("learned", base, fell=(5,)), walks("off", base)], "off")
    assert row(rows, "learned")["mean"] < row(rows, "off")["mean"] - 0.5
    assert row(rows, "learned")["difference"] == pytest.approx(0.0)


def test_baseline_is_the_case_with_zero_torque_or_the_first():
    assert compare.baseline_of(["a", "b", "c"], ["trained", "zero_torque", "profile"]) == "b"
    assert compare.baseline_of(["a", "b"], ["trained", "trained"]) == "a"


def test_untrained_speeds_falls_and_few_episodes_are_told():
    told = " ".join(compare.notes([walks("a", [1.0, 2.0], speed=1.5, fell=(1,))], {"a": (1.25, 1.25)}))
    assert "1.5 m/s is outside what the policy was trained for (1.25 m/s)" in told
    assert "fell in 1 of 2 episodes, the earliest after 1.0 s" in told
    assert "Fewer than 5 episodes" in told
    assert not compare.notes([walks("a", [1.0] * 5, speed=1.5)], {"a": (0.8, 1.8)})


def test_stride_figures_of_a_synthetic_gait_are_its_closed_forms():
    figures = metrics.compared(synthetic_gait())
    mean = 0.04 + 0.5 * 924 / 4096  # of 0.04 + 0.5 cos(x / 2)^12 over a cycle
    np.testing.assert_allclose(figures["activation"]["all_muscles_activation_mean"], mean, rtol=2e-3)
    np.testing.assert_allclose(figures["activation"]["soleus_activation_mean"], mean, rtol=5e-3)
    np.testing.assert_allclose(figures["device"]["device_ankle_angle_torque_peak_nm_per_kg"], 30 / 75, rtol=1e-3)
    device = summarize([synthetic_gait()])["device"]["ankle_angle"]["both"]  # integrated over the resampled cycle
    for work in ("positive_work_j_per_kg", "negative_work_j_per_kg"):
        np.testing.assert_allclose(figures["device"][f"device_ankle_angle_{work}"], device[work], rtol=0.02)
    np.testing.assert_allclose(figures["kinematics"]["speed_m_s"], 1.25, rtol=5e-3)
    power = metabolic_summary([synthetic_gait()])["bhargava2004"]["power_w_per_kg"]
    metabolic = figures["metabolic"]
    np.testing.assert_allclose(metabolic["bhargava2004_muscle_power_w_per_kg"], power, rtol=0.01)
    np.testing.assert_allclose(metabolic["bhargava2004_cost_of_transport_j_per_kg_m"], (power + 1.2) / 1.25, rtol=0.01)


def test_curves_of_a_case_are_numpys_over_the_strides_of_both_legs():
    episodes = tuple(compare.episode(synthetic_gait(duration=6.0, device_peak=(-p, -p))) for p in (30.0, 20.0))
    name = "device_ankle_plantarflexion_torque_nm"
    rows = [row for row in compare.curve_rows([Walks("a", 1.25, episodes)]) if row["curve"] == name]
    strides = np.concatenate([episode.curves[name] for episode in episodes])
    np.testing.assert_allclose([float(row["mean"]) for row in rows], strides.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose([float(row["sd"]) for row in rows], strides.std(axis=0, ddof=1), rtol=1e-5)
    assert {(row["unit"], row["strides"], row["case"]) for row in rows} == {("N·m", len(strides), "a")}
    assert [row["gait_cycle_percent"] for row in rows] == list(range(101))


@pytest.mark.slow
def test_command_writes_table_page_and_figures_even_of_a_walk_without_strides(bundle_path, tmp_path, capsys):
    out = tmp_path / "comparison"
    words = ["compare", str(bundle_path), "--conditions", "learned,zero_torque,profile", "--speeds", "1.25,1.5"]
    assert main([*words, "--episodes", "2", "--steps", "20", "-o", str(out)]) == 0
    result = json.loads((out / "compare.json").read_text())
    assert result["baseline"] == "zero_torque"
    assert [part["case"] for part in result["walks"]] == 2 * ["learned", "zero_torque", "profile"]
    assert (out / "curves.csv").read_text().splitlines()[0] == ",".join(compare.CURVE_COLUMNS)
    with (out / "compare.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(result["figures"])
    assert {r["case"] for r in rows} == {"learned", "zero_torque", "profile"}
    page = (out / "compare.html").read_text()
    assert "outside what the policy was trained for" in page
    assert "http" not in page
    for name in ("people", "kinematics", "kinetics", "activation", "metabolic"):
        assert (out / f"{name}.png").stat().st_size > 1000
        assert (out / f"{name}.svg").stat().st_size > 1000
    assert "note:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--conditions", "learned,zero_torq"), "Did you mean 'zero_torque'"),
        (("--conditions", "learned,learned"), "twice"),
        (("--speeds", "fast"), "speeds in m/s"),
        (("--speeds", "9"), "reference gait knows"),
    ],
)
def test_command_refuses_what_it_cannot_compare(bundle_path, tmp_path, capsys, flags, told):
    assert main(["compare", str(bundle_path), *flags, "--steps", "2", "-o", str(tmp_path / "c")]) == 2
    assert told in capsys.readouterr().err


def test_cases_are_named_by_policy_and_condition(untrained_bundle, tmp_path):
    names = short_names([str(tmp_path / "with"), str(tmp_path / "run" / "policy")])
    assert names == ["with", "run"] and short_names(["a/x", "b/x"]) == ["x (1)", "x (2)"]
    both = dict.fromkeys(names, untrained_bundle)
    assert [case.label for case in cases_of(both, None)] == ["with", "run"]
    assert [case.label for case in cases_of({"with": untrained_bundle}, None)] == ["trained", "zero_torque"]
    labels = [case.label for case in cases_of(both, ["trained", "profile"])]
    assert labels == ["with, trained", "with, profile", "run, trained", "run, profile"]
    assert (parts_of("a, b"), parts_of(None), speeds_of("1.0,1.5")) == (["a", "b"], None, [1.0, 1.5])
    with pytest.raises(UserError, match="different"):
        speeds_of("1,1")


def test_an_evaluation_entry_commands_what_it_says(untrained_bundle):
    entry = EvaluateParams(
        velocity_mode="SINUSOIDAL", min_target_velocity=0.8, max_target_velocity=1.6, target_velocity_period=4.0
    )
    env = commanded(untrained_bundle, entry).config.env_params
    assert (env.velocity_mode, env.min_target_velocity, env.max_target_velocity) == ("SINUSOIDAL", 0.8, 1.6)
    assert env.min_target_velocity_period == env.max_target_velocity_period == 4.0
    changed = ("velocity_mode", *(f"{m}_target_velocity{s}" for m in ("min", "max") for s in ("", "_period")))
    same = dataclasses.replace(env, **{k: getattr(untrained_bundle.config.env_params, k) for k in changed})
    assert same == untrained_bundle.config.env_params


@pytest.mark.slow
def test_every_entry_of_evaluate_param_list_becomes_a_report(untrained_bundle, tmp_path):
    entries = (EvaluateParams(num_timesteps=15), EvaluateParams(num_timesteps=15, max_target_velocity=1.5))
    bundle = dataclasses.replace(
        untrained_bundle, config=dataclasses.replace(untrained_bundle.config, evaluate_param_list=entries)
    )
    folders = analyze(bundle, tmp_path, 12_288)
    assert [folder.name for folder in folders] == ["analyze_results_12288_00", "analyze_results_12288_01"]
    assert all((folder / "metrics.json").is_file() for folder in folders)
