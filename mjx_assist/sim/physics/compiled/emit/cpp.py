"""The graph as C++: straight lines over vectors of walkers, physics steps in a loop, the solver's early ends."""

from collections.abc import Iterable
from pathlib import Path

from mjx_assist.sim.physics.compiled.graph import Node, Value
from mjx_assist.sim.physics.compiled.model.step import PEAKS, READINGS, RESULTS, Step

ITERATIONS = {32: (10, 6), 64: (30, 30)}  # of the solver and its line search, by the numbers' bits
_HERE = Path(__file__).parent
_BETWEEN = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_COMPARE = {"lt": "<", "le": "<=", "and": "&", "or": "|", "xor": "^"}


def source(step: Step, bits: int = 32) -> str:
    """The kernel. Rows of walkers go in (the step's inputs, then a heightfield's heights) and come out (`RESULTS`)."""
    names = list(step.inputs)
    body = "\n".join(_control_step(step, *ITERATIONS[bits]))
    sizes = {
        "INPUTS": len(names) + (step.field is not None),
        "OUTPUTS": len(RESULTS),
    }
    if step.field:
        field = step.field
        sizes |= {"FIELD_ROWS": field.rows, "FIELD_COLUMNS": field.columns, "FIELD_SCALE": field.scale}
        sizes |= {"FIELD_HALF_X": field.half[0], "FIELD_HALF_Y": field.half[1]}
        sizes |= {"FIELD_DX": field.spacing[0], "FIELD_DY": field.spacing[1]}
    defines = "\n".join(f"#define {name} {value!r}" for name, value in sizes.items())
    return "\n".join(
        [
            defines,
            (_HERE / "prelude.hpp").read_text(encoding="utf-8"),
            body,
            (_HERE / "handler.cpp").read_text(encoding="utf-8"),
        ]
    )


def _text(x: Value) -> str:
    if isinstance(x, Node):
        return f"x{x.number}"
    return f"(M{{}} {'==' if x else '!='} 0)" if isinstance(x, bool) else f"(T){x!r}"


def _wide(x: Value) -> str:
    return _text(x) if isinstance(x, Node | bool) else f"all_of({_text(x)})"


def _lines(step: Step, nodes: Iterable[Node]) -> Iterable[str]:
    """A line for every node."""
    turned = set()
    for node in nodes:
        number, op = node.number, node.op
        raw, wide = [_text(a) for a in node.args], [_wide(a) for a in node.args]
        kind = "const V"
        if op in _BETWEEN:
            value = f"{raw[0]} {_BETWEEN[op]} {raw[1]}"
        elif op in _COMPARE:
            kind, value = "const M", f"{wide[0]} {_COMPARE[op]} {wide[1]}"
        elif op == "not":
            kind, value = "const M", f"~{wide[0]}"
        elif op == "neg":
            value = f"-{raw[0]}"
        elif op == "sel":
            value = f"{wide[0]} ? {wide[1]} : {wide[2]}"
        elif op in ("sin", "cos"):
            angle = node.args[0].number
            if angle not in turned:
                turned.add(angle)
                yield f"V sin{angle}, cos{angle}; vsincos(x{angle}, sin{angle}, cos{angle});"
            value = f"{op}{angle}"
        elif op == "field":
            radius = node.args[3]
            assert step.field
            cells = ", ".join(map(str, step.field.cells(radius)))
            place = ", ".join([*wide[:3], raw[3]])
            yield f"V touch{number}[16]; field_touches<{cells}>(heights, {place}, touch{number});"
            continue
        elif op == "part":
            value = f"touch{node.args[0].number}[{int(node.args[1])}]"
        else:  # sqrt, abs, min, max, atan2
            value = f"v{op}({', '.join(wide)})"
        yield f"{kind} x{number} = {value};"


def _control_step(step: Step, iterations: int, line_steps: int) -> Iterable[str]:
    """``control_step``: ``substeps`` physics steps of up to W walkers, from ``first`` on."""
    loop, carried = step.loop, step.carried
    sizes = {name: len(step.outputs[name]) for name in READINGS} | step.results
    yield "static void control_step(const T *const *in, T *const *out, long first, long live, int substeps) {"
    for k, (name, nodes) in enumerate(step.inputs.items()):
        n = len(nodes)
        yield f"V {name}[{max(n, 1)}]; const T *from_{name} = in[{k}] + first * {n};"
        yield f"for (int i = 0; i < {n}; i++) {name}[i] = load(from_{name} + i, {n}, live);"
    if step.field:
        yield f"const T *heights = in[{len(step.inputs)}];"
    yield from (f"V {name}[{max(sizes[name], 1)}] = {{}};" for name in (*READINGS, *PEAKS))
    for name in PEAKS:
        yield f"for (int i = 0; i < {sizes[name]}; i++) {name}[i] = all_of((T)-1e30);"
    yield "for (int substep = 0; substep < substeps; substep++) {"
    for name, nodes in step.inputs.items():
        yield from (f"const V x{x.number} = {name}[{i}];" for i, x in enumerate(nodes))
    yield from _lines(step, step.stages[0])
    yield from (f"V y{i} = warmstart[{i}];" for i in range(len(loop.qacc)))
    yield from (f"V r{i} = {_wide(step.start[i])};" for i in carried)
    yield f"M done = {{}};\nfor (int iteration = 0; iteration < {iterations}; iteration++) {{"
    yield from (f"const V x{x.number} = y{i};" for i, x in enumerate(loop.qacc))
    yield from (f"const V x{loop.residual[i].number} = r{i};" for i in carried)
    yield from _lines(step, step.stages[1])
    yield "V place = all_of(1), low = all_of(0), high = all_of((T)1e38);"
    yield f"for (int line = 0; line < {line_steps}; line++) {{"
    yield from (f"const V x{x.number} = {y};" for x, y in zip(loop.line, ("place", "low", "high"), strict=True))
    yield from _lines(step, step.stages[2])
    yield from (f"{y} = {_wide(x)};" for x, y in zip(loop.line_out, ("place", "low", "high"), strict=True))
    yield f"if (every(done | {_wide(loop.line_done)})) break;\n}}"
    yield f"const V x{loop.found.number} = place;"
    yield from _lines(step, step.stages[3])
    yield from (f"y{i} = done ? y{i} : {_wide(x)};" for i, x in enumerate(loop.next_qacc))
    yield from (f"r{i} = done ? r{i} : {_wide(loop.next_residual[i])};" for i in carried)
    yield f"done = done | {_wide(loop.done)};\nif (every(done)) break;\n}}"
    yield from (f"const V x{x.number} = y{i};" for i, x in enumerate(step.solved))
    yield from (f"const V x{step.solved_residual[i].number} = r{i};" for i in carried)
    yield from _lines(step, step.stages[4])
    for name, values in step.outputs.items():
        yield from (f"{name}[{i}] = {_wide(x)};" for i, x in enumerate(values))
    for name, of in PEAKS.items():
        yield f"for (int i = 0; i < {sizes[name]}; i++) {name}[i] = vmax({name}[i], {of}[i]);"
    yield "}"
    for k, name in enumerate(RESULTS):
        n = sizes[name]
        yield f"for (int i = 0; i < {n}; i++) store({name}[i], out[{k}] + first * {n} + i, {n}, live);"
    yield "}"
