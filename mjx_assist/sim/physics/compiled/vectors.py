"""Vectors (lists of 3 values) and matrices (3 x 3, rows) over the graph's values."""

from collections.abc import Sequence

from mjx_assist.sim.physics.compiled.graph import Value, add, multiply, negative, sqrt, subtract, total

Vector = Sequence[Value]
Matrix = Sequence[Vector]
ZERO: Vector = (0.0, 0.0, 0.0)
EYE: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
NULL: Matrix = (ZERO, ZERO, ZERO)


def dot(a: Vector, b: Vector) -> Value:
    return total(multiply(x, y) for x, y in zip(a, b, strict=True))


def cross(a: Vector, b: Vector) -> list[Value]:
    return [subtract(multiply(a[i], b[j]), multiply(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1))]


def plus(a: Vector, b: Vector) -> list[Value]:
    return [add(x, y) for x, y in zip(a, b, strict=True)]


def minus(a: Vector, b: Vector) -> list[Value]:
    return [subtract(x, y) for x, y in zip(a, b, strict=True)]


def scale(s: Value, a: Vector) -> list[Value]:
    return [multiply(s, x) for x in a]


def length(a: Vector) -> Value:
    return sqrt(dot(a, a))


def turned(m: Matrix, a: Vector) -> list[Value]:
    """``m @ a``."""
    return [dot(row, a) for row in m]


def turned_back(m: Matrix, a: Vector) -> list[Value]:
    """``m.T @ a``."""
    return turned(transposed(m), a)


def product(m: Matrix, n: Matrix) -> list[list[Value]]:
    columns = transposed(n)
    return [[dot(row, column) for column in columns] for row in m]


def transposed(m: Matrix) -> list[list[Value]]:
    return [[row[i] for row in m] for i in range(3)]


def matrix_plus(m: Matrix, n: Matrix) -> list[list[Value]]:
    return [plus(a, b) for a, b in zip(m, n, strict=True)]


def matrix_minus(m: Matrix, n: Matrix) -> list[list[Value]]:
    return [minus(a, b) for a, b in zip(m, n, strict=True)]


def skew(a: Vector) -> list[list[Value]]:
    """The matrix whose product with b is a x b."""
    return [[0.0, negative(a[2]), a[1]], [a[2], 0.0, negative(a[0])], [negative(a[1]), a[0], 0.0]]


def diagonal(x: Value) -> list[list[Value]]:
    return [[x if i == j else 0.0 for j in range(3)] for i in range(3)]
