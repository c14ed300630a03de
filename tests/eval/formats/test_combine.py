"""Several files make one record, which is summarized as the record that they were written from."""

import numpy as np
import pytest
from round_trip import back
from synthetic_gait import synthetic_gait

from mjx_assist.eval.formats import convert
from mjx_assist.eval.gait import summary as metrics


def test_metrics_of_imported_files_are_those_of_the_record(record, tmp_path):
    ours = metrics.summarize([record])["right"]
    theirs = metrics.summarize([back(record, tmp_path, "walk.mot", "walk_grf.mot", "walk.sto").record])["right"]
    for key in ("strides", "stride_time_s", "stance_percent", "grf_peak_bw", "knee_range_deg", "cadence_steps_per_min"):
        assert theirs[key] == pytest.approx(ours[key], rel=1e-6), key
    assert theirs["step_length_m"] is None and ours["step_length_m"] is not None


def test_kinematics_alone_are_summarised(record, tmp_path):
    summary = metrics.summarize([back(record, tmp_path, "walk.mot").record])
    assert summary["right"]["strides"] == 0 and summary["right"]["step_length_m"] is None


def test_files_at_other_rates_are_interpolated_and_it_is_told(record, tmp_path):
    convert.write(record, tmp_path / "walk.mot")
    slow = synthetic_gait(6.0, 50.0)
    convert.write(slow, tmp_path / "walk_grf.mot")
    imported = convert.read([tmp_path / "walk_grf.mot", tmp_path / "walk.mot"])
    assert any("interpolated" in note for note in imported.notes)
    found = imported.record
    assert found.sample_dt == pytest.approx(0.01) and found.time[0] == pytest.approx(0.02)
    exact = np.interp(found.time, record.time, record.ground_reaction[:, 0, 2])
    # The slow one misses the corner of a contact.
    np.testing.assert_allclose(found.ground_reaction[:, 0, 2], exact, atol=25.0)
