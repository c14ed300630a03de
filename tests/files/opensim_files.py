"""Scaled OpenSim models as the scale tool writes them, at a small size: of OpenSim 4 with frames (as Rajagopal's), and
of OpenSim 3 with bodies that hold their joints (as gait2392). The numbers are ours, not those of a published model."""

MASS = {
    "pelvis": 11.0,
    "femur": 8.5,
    "tibia": 3.4,
    "patella": 0.1,
    "talus": 0.1,
    "calcn": 1.1,
    "toes": 0.2,
    "torso": 33.0,
}
HIP, KNEE, PATELLA = (-0.06, -0.08, 0.08), (-0.005, -0.41, 0.0), (0.05, -0.4, 0.0)  # m, before scaling
ANKLE, SUBTALAR, MTP, BACK = (0.0, -0.4, 0.0), (-0.05, -0.04, 0.008), (0.18, -0.002, 0.001), (-0.1, 0.08, 0.0)
SIDES = (("r", 1.0), ("l", -1.0))


def masses(total):
    """kg by body, both sides, in proportion."""
    each = {f"{name}_{s}" if name not in ("pelvis", "torso") else name: m for name, m in MASS.items() for s, _ in SIDES}
    return {name: m * total / sum(each.values()) for name, m in each.items()}


def scaled(place, factors, side=1.0):
    return tuple(x * f for x, f in zip((*place[:2], side * place[2]), factors, strict=True))


def text(numbers):
    return " ".join(f"{x:.8g}" for x in numbers)


def knee_axes(place, factors, suffix, form="SimmSpline"):
    """A knee's centre follows its angle; scaling leaves the functions and multiplies them."""
    axes = '<TransformAxis name="rotation1"><axis>0 0 -1</axis><function><LinearFunction name="function">'
    axes += "<coefficients>1 0</coefficients></LinearFunction></function></TransformAxis>"
    for i, (at, factor) in enumerate(zip(place, factors, strict=True)):
        curve = f"<SimmSpline name='function'><x>-2.1 0 0.2</x><y>{at - 0.02} {at} {at}</y></SimmSpline>"
        if form == "PolynomialFunction":
            curve = (
                f"<PolynomialFunction name='function'><coefficients>0.01 -0.02 {at}</coefficients></PolynomialFunction>"
            )
        axes += f"""<TransformAxis name="translation{i + 1}"><coordinates>knee_angle_{suffix}</coordinates>
<axis>{text(float(i == j) for j in range(3))}</axis><function><MultiplierFunction name="function"><function>{curve}
</function><scale>{factor:.8g}</scale></MultiplierFunction></function></TransformAxis>"""
    return f"<SpatialTransform>{axes}</SpatialTransform>"


def joint4(kind, name, parent, child, place, inner=""):
    def frame(body, translation):
        return f"""<PhysicalOffsetFrame name="{body}_offset"><FrameGeometry name="frame_geometry">
<socket_frame>..</socket_frame><scale_factors>0.2 0.2 0.2</scale_factors></FrameGeometry>
<socket_parent>/bodyset/{body}</socket_parent><translation>{text(translation)}</translation>
<orientation>-0 0 -0</orientation></PhysicalOffsetFrame>"""

    return f"""<{kind} name="{name}"><socket_parent_frame>{parent}_offset</socket_parent_frame>
<socket_child_frame>{child}_offset</socket_child_frame><coordinates><Coordinate name="{name}_angle">
<default_value>0</default_value><range>-2 2</range></Coordinate></coordinates>
<frames>{frame(parent, place)}{frame(child, (0, 0, 0))}</frames>{inner}</{kind}>"""


def opensim4(total, factors, knee="SimmSpline"):
    """A model of OpenSim 4 of ``total`` kg; ``factors``: of its bones, three axes each."""
    bodies = "".join(
        f"""<Body name="{name}"><attached_geometry><Mesh name="{name}_geom"><socket_frame>..</socket_frame>
<scale_factors>{text(factors)}</scale_factors><mesh_file>{name}.vtp</mesh_file></Mesh></attached_geometry>
<mass>{kg:.10g}</mass><mass_center>0 -0.1 0</mass_center><inertia>0.1 0.1 0.1 0 0 0</inertia></Body>"""
        for name, kg in masses(total).items()
    )
    joints = joint4("CustomJoint", "back", "pelvis", "torso", scaled(BACK, factors))
    for s, way in SIDES:
        joints += joint4("CustomJoint", f"hip_{s}", "pelvis", f"femur_{s}", scaled(HIP, factors, way))
        axes = knee_axes(KNEE, factors, s, knee)
        joints += joint4("CustomJoint", f"walker_knee_{s}", f"femur_{s}", f"tibia_{s}", (0, 0, 0), axes)
        joints += joint4("CustomJoint", f"patellofemoral_{s}", f"femur_{s}", f"patella_{s}", scaled(PATELLA, factors))
        joints += joint4("PinJoint", f"ankle_{s}", f"tibia_{s}", f"talus_{s}", scaled(ANKLE, factors))
        joints += joint4("PinJoint", f"subtalar_{s}", f"talus_{s}", f"calcn_{s}", scaled(SUBTALAR, factors, way))
        joints += joint4("PinJoint", f"mtp_{s}", f"calcn_{s}", f"toes_{s}", scaled(MTP, factors, way))
    forces = """<ForceSet name="forceset"><objects><Millard2012EquilibriumMuscle name="soleus_r">
<GeometryPath name="geometrypath"><PathPointSet><objects><PathPoint name="soleus_r-P1">
<socket_parent_frame>/bodyset/tibia_r</socket_parent_frame><location>0 -0.15 0</location></PathPoint></objects>
</PathPointSet></GeometryPath><max_isometric_force>6000</max_isometric_force></Millard2012EquilibriumMuscle></objects>
</ForceSet><MarkerSet name="markerset"><objects><Marker name="RKNE"><socket_parent_frame>/bodyset/femur_r
</socket_parent_frame><location>0 -0.4 0.05</location></Marker></objects></MarkerSet>"""
    return f"""<?xml version="1.0" encoding="UTF-8" ?><OpenSimDocument Version="40000"><Model name="subject_scaled">
<ground name="ground"/><gravity>0 -9.80665 0</gravity><BodySet name="bodyset"><objects>{bodies}</objects></BodySet>
<JointSet name="jointset"><objects>{joints}</objects></JointSet>{forces}</Model></OpenSimDocument>"""


def opensim3(total, factors):
    """The same skeleton as OpenSim 3 writes it."""

    def body(name, kg, joint="", parent="", place=(0, 0, 0), inner=""):
        own = f"""<Joint><CustomJoint name="{joint}"><parent_body>{parent}</parent_body><location_in_parent>
{text(place)}</location_in_parent><orientation_in_parent>0 0 0</orientation_in_parent><location>0 0 0</location>
{inner}</CustomJoint></Joint>"""
        return f"""<Body name="{name}"><mass>{kg:.10g}</mass><mass_center>0 0 0</mass_center>{own if joint else ""}
<VisibleObject name=""><scale_factors>{text(factors)}</scale_factors></VisibleObject></Body>"""

    kg = masses(total)
    made = body("ground", 0.0) + body("pelvis", kg["pelvis"], "ground_pelvis", "ground")
    made += body("torso", kg["torso"], "back", "pelvis", scaled(BACK, factors))
    for s, way in SIDES:
        rows = (
            ("femur", "hip", "pelvis", scaled(HIP, factors, way), ""),
            ("tibia", "knee", f"femur_{s}", (0, 0, 0), knee_axes(KNEE, factors, s)),
            ("patella", "tib_pat", f"tibia_{s}", (0, 0, 0), ""),
            ("talus", "ankle", f"tibia_{s}", scaled(ANKLE, factors), ""),
            ("calcn", "subtalar", f"talus_{s}", scaled(SUBTALAR, factors, way), ""),
            ("toes", "mtp", f"calcn_{s}", scaled(MTP, factors, way), ""),
        )
        made += "".join(
            body(f"{name}_{s}", kg[f"{name}_{s}"], f"{joint}_{s}", parent, place, inner)
            for name, joint, parent, place, inner in rows
        )
    return f"""<?xml version="1.0" encoding="UTF-8"?><OpenSimDocument Version="30000"><Model name="subject01-scaled">
<BodySet name=""><objects>{made}</objects></BodySet></Model></OpenSimDocument>"""
