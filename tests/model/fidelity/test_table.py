"""A composition's row in the table of models."""

from mjx_assist.model.fidelity import table as model_table


def test_a_row_tells_size_device_and_worst_bound(reduced, report):
    row = model_table.row(reduced, report)
    assert row["nv"] == {"full": 39, "reduced": 11}
    assert (row["muscles"], row["device_actuators"], row["device_joints"]) == (22, ["Exo_R", "Exo_L"], [])
    assert row["points"]["full"] == 88 > row["points"]["reduced"]
    assert 0 < row["step_us"]["reduced"] < row["step_us"]["full"]
    nearest = max(report["verdicts"], key=lambda v: v["value"] / v["bound"])
    assert model_table.cells(row)[-1].startswith(f"{nearest['measure']}: {nearest['value']:.3g} of ")
