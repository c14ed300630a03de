"""People from other programs' files: lengths that the file's own geometry has, and sentences for what is none."""

from functools import partial
from pathlib import Path

import numpy as np
import opensim_files
import pytest

from mjx_assist.cli.person import key_with
from mjx_assist.errors import UserError
from mjx_assist.files.subject_sources import read_person
from mjx_assist.model.person import figures

HIP = """<CustomJoint name="hip_{s}"><socket_parent_frame>pelvis_offset</socket_parent_frame><frames>
<PhysicalOffsetFrame name="pelvis_offset"><socket_parent>/bodyset/pelvis</socket_parent>
<translation>-0.06 -0.08 {z}</translation></PhysicalOffsetFrame></frames></CustomJoint>"""
KNEE = """<CustomJoint name="walker_knee_{s}"><socket_parent_frame>femur_offset</socket_parent_frame><frames>
<PhysicalOffsetFrame name="femur_offset"><socket_parent>/bodyset/femur_{s}</socket_parent>
<translation>0 -0.41 0</translation></PhysicalOffsetFrame></frames></CustomJoint>"""
ANKLE = """<PinJoint name="ankle_{s}"><socket_parent_frame>tibia_offset</socket_parent_frame><frames>
<PhysicalOffsetFrame name="tibia_offset"><socket_parent>/bodyset/tibia_{s}</socket_parent>
<translation>0 -0.3 -0.4</translation></PhysicalOffsetFrame></frames></PinJoint>"""
BODIES = '<BodySet><objects><Body name="pelvis"><mass>12.5</mass></Body><Body name="legs"><mass>57.5</mass></Body>'
NEW = f"""<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="p">{BODIES}</objects></BodySet>
<JointSet><objects>
{HIP.format(s="r", z=0.09)}{HIP.format(s="l", z=-0.09)}{KNEE.format(s="r")}{ANKLE.format(s="r")}</objects>
</JointSet></Model></OpenSimDocument>"""
# OpenSim 3: the knee is where a spline in the femur puts its centre, times the scale of its person
OLD = """<OpenSimDocument Version="30000"><Model name="p"><Body name="femur_r"><mass>9</mass></Body>
<Body name="tibia_r"><mass>4</mass><Joint><CustomJoint name="knee_r"><parent_body>femur_r</parent_body>
<location_in_parent>0 0 0</location_in_parent><SpatialTransform>
<TransformAxis name="translation1"><axis>1 0 0</axis><function><Constant><value>0</value></Constant></function>
</TransformAxis><TransformAxis name="translation2"><axis>0 1 0</axis>
<function><MultiplierFunction><function><SimmSpline>
<x>-2 0 1</x><y>-0.42 -0.4 -0.4</y></SimmSpline></function><scale>1.1</scale></MultiplierFunction></function>
</TransformAxis>
</SpatialTransform></CustomJoint></Joint></Body></Model></OpenSimDocument>"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_scaled_model_of_opensim_4(tmp_path: Path):
    person = read_person(write(tmp_path / "scaled.osim", NEW))
    assert person == {"mass": 70.0, "segment_lengths": {"pelvis": 0.18, "shank_r": 0.5, "thigh_r": 0.41}}


FACTORS = (1.04, 0.93, 1.1)  # of bones forward, up, sideways, as the scale tool has them


@pytest.mark.parametrize(
    "made", [opensim_files.opensim4, opensim_files.opensim3, partial(opensim_files.opensim4, knee="PolynomialFunction")]
)
def test_a_whole_scaled_model_gives_its_persons_lengths_and_the_body_has_them(made, tmp_path: Path):
    """Patella, subtalar joint, muscles and markers are in the file too, and change nothing."""
    person = read_person(write(tmp_path / "scaled.osim", made(64.3, FACTORS)))
    wanted = {}
    for side in "rl":
        places = {"thigh": opensim_files.KNEE, "shank": opensim_files.ANKLE, "foot": opensim_files.MTP}
        wanted |= {f"{name}_{side}": np.linalg.norm(np.multiply(place, FACTORS)) for name, place in places.items()}
    wanted["pelvis"] = 2 * opensim_files.HIP[2] * FACTORS[2]
    assert person["mass"] == pytest.approx(64.3, abs=1e-3)
    assert person["segment_lengths"] == pytest.approx(wanted, abs=1e-5)
    body = figures(key_with("myolegs22", person, "subject"))
    assert (body["thigh_m"], body["shank_m"]) == pytest.approx((wanted["thigh_r"], wanted["shank_r"]), abs=1e-5)
    assert body["mass_kg"] == pytest.approx(64.3, abs=1e-3)


def test_a_model_of_opensim_3_whose_knee_follows_a_spline(tmp_path: Path):
    person = read_person(write(tmp_path / "old.osim", OLD))
    assert person == {"mass": 13.0, "segment_lengths": {"thigh_r": pytest.approx(0.44)}}


def test_opencaps_folder_has_height_and_mass_as_entered(tmp_path: Path):
    model = tmp_path / "OpenSimData" / "Model"
    model.mkdir(parents=True)
    write(model / "LaiArnoldModified2017_poly_withArms_weldHand_scaled.osim", NEW)
    write(tmp_path / "sessionMetadata.yaml", "subjectID: s1\nmass_kg: 61.5\nheight_m: '1.7'\n")
    person = read_person(tmp_path)
    assert (person["height"], person["mass"], person["segment_lengths"]["thigh_r"]) == (1.7, 61.5, 0.41)


def test_a_table_of_lengths(tmp_path: Path):
    table = write(tmp_path / "p.csv", "# markers\nsegment,length\nheight,1.7\nmass, 61\nthigh,0.41\nshank_l,0.4\n")
    assert read_person(table) == {"height": 1.7, "mass": 61.0, "segment_lengths": {"thigh": 0.41, "shank_l": 0.4}}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.txt", "", "a person is read from an OpenSim model (.osim), a table (.csv), or OpenCap's folder"),
        ("p.osim", "<html/>", "begins with <html>, not with an OpenSimDocument"),
        ("p.osim", "<OpenSimDocument><Model", "is not XML"),
        ("p.osim", '<!DOCTYPE a [<!ENTITY b "c">]><OpenSimDocument/>', "declares entities of its own"),
        ("p.osim", "<OpenSimDocument><Model/></OpenSimDocument>", "has no hips, knees or ankles"),
        ("p.osim", NEW.replace("12.5", "heavy"), "<mass> of 'pelvis' holds 'heavy', which is no number"),
        ("p.osim", NEW.replace("12.5", "0").replace("57.5", "0"), "its bodies have no mass"),
        ("p.csv", "bone,cm\n", "must begin with the line segment,length"),
        ("p.csv", "segment,length\nthigh\n", "the row 'thigh' must be a segment and a length"),
        ("p.csv", "segment,length\nthigh,long\n", "thigh: 'long' is no number"),
        ("p.csv", "segment,length\nthigh,0.4\nthigh,0.4\n", "'thigh' is given twice"),
    ],
)
def test_what_is_no_person_is_said(tmp_path: Path, name: str, text: str, said: str):
    with pytest.raises(UserError) as error:
        read_person(write(tmp_path / name, text))
    assert said in str(error.value)


def test_of_several_models_in_a_folder_none_is_guessed(tmp_path: Path):
    write(tmp_path / "a.osim", NEW)
    write(tmp_path / "b.osim", NEW)
    with pytest.raises(UserError, match="holds 2 OpenSim models"):
        read_person(tmp_path)
