"""The innermost steps of compiled models, tiles of matrix products and pairs of rows, in vectors of eight numbers.

The compiler neither keeps a tile in registers over a loop nor splits a sum by itself, which is three times as slow.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES: Final = 8  # numbers of a vector
TILE_ROWS: Final = 4
_VECTOR: Final = ir.VectorType(ir.FloatType(), LANES)
_INT32: Final = ir.IntType(32)


def pad_width(columns: int) -> int:
    """Return the least width of a row of whole vectors that holds so many columns.

    Examples
    --------
    >>> [pad_width(columns) for columns in (1, 50, 64)]
    [8, 56, 64]
    """
    return -(-columns // LANES) * LANES


@intrinsic
def fma(typing_context, x, y, z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Compute ``x * y + z`` of floats of one type with a single rounding, in compiled code."""
    del typing_context, y, z

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        del context, signature
        return builder.fma(*arguments)

    return x(x, x, x), generate


@intrinsic(prefer_literal=True)
def add_tile(typing_context, system, left, right, count, row, column, columns):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Add ``left[:count, row:row + 4].T @ right[:count, column:column + columns]`` to that tile of `system`.

    All three are C-contiguous float32 matrices of one width; nothing checks the bounds. Each cell takes its products
    one after another, each with a single rounding. `columns` is a constant, 16 or 24: a tile has to fit into registers.
    """
    del typing_context
    return types.void(system, left, right, count, row, column, columns), _generate_tile


def _generate_tile(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    system, left, right, count, row, column, _ = _open_arguments(context, builder, signature, arguments)
    rows = [_offset(builder, row, n) for n in range(TILE_ROWS)]
    columns = [builder.add(column, first) for first in _list_columns(system, signature)]
    sums = [[cgutils.alloca_once_value(builder, system.load(i, j)) for j in columns] for i in rows]
    with cgutils.for_range(builder, count) as loop:
        vectors = [right.load(loop.index, j) for j in columns]
        for i, sums_of_row in zip(rows, sums, strict=True):
            factor = left.load_repeated(loop.index, i)
            for vector, total in zip(vectors, sums_of_row, strict=True):
                builder.store(_fma_vectors(builder, factor, vector, builder.load(total)), total)
    for i, sums_of_row in zip(rows, sums, strict=True):
        for j, total in zip(columns, sums_of_row, strict=True):
            system.store(builder.load(total), i, j)
    return context.get_dummy_value()


@intrinsic(prefer_literal=True)
def stage_row(typing_context, plain, weighted, place, right, factors, row, weight, target, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Make a row of factors ready for `add_tile`, and add it to the right-hand side.

    Copies ``v = factors[row]`` to ``plain[place]``, ``weight * v`` to ``weighted[place]``, and adds ``target * v`` to
    the vector `right`, rounded once. C-contiguous float32 arrays, of a `width` that is a constant and a multiple of
    eight; nothing checks the bounds.
    """
    del typing_context, weight, target
    arguments = plain, weighted, place, right, factors, row, types.float32, types.float32, width
    return types.void(*arguments), _generate_staging


def _generate_staging(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    plain, weighted, place, right, factors, row, weight, target, _ = _open_arguments(
        context, builder, signature, arguments
    )
    weight, target, first = _repeat(builder, weight), _repeat(builder, target), ir.Constant(place.type, 0)
    for column in _list_columns(factors, signature):
        vector = factors.load(row, column)
        plain.store(vector, place, column)
        weighted.store(builder.fmul(weight, vector), place, column)
        right.store(_fma_vectors(builder, target, vector, right.load(first, column)), first, column)
    return context.get_dummy_value()


@intrinsic
def dot_rows(typing_context, left, i, right, j):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return ``left[i] @ right[j]`` of two C-contiguous float32 matrices whose width is a multiple of eight.

    Sums eight columns apart from each other, then their sums in pairs, always in the same order; nothing checks the
    bounds.
    """
    del typing_context
    return types.float32(left, i, right, j), _generate_dot


def _generate_dot(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    left, i, right, j = _open_arguments(context, builder, signature, arguments)
    total = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, None))
    zero, step = left.width.type(0), left.width.type(LANES)
    with cgutils.for_range_slice(builder, zero, left.width, step, inc=True) as (column, _):
        vectors = left.load(i, column), right.load(j, column)
        builder.store(_fma_vectors(builder, *vectors, builder.load(total)), total)
    return _sum_lanes(builder, builder.load(total))


@intrinsic(prefer_literal=True)
def dot_unrolled(typing_context, left, i, right, j, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return ``left[i] @ right[j]`` as `dot_rows` does, in another order, for a `width` that is a constant.

    Sums even and odd vectors apart from each other, then both sums, then the halves of that, until one number is left.
    """
    del typing_context
    return types.float32(left, i, right, j, width), _generate_unrolled_dot


def _generate_unrolled_dot(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    left, i, right, j, _ = _open_arguments(context, builder, signature, arguments)
    totals = [ir.Constant(_VECTOR, None), ir.Constant(_VECTOR, None)]
    for turn, column in enumerate(_list_columns(left, signature)):
        totals[turn % 2] = _fma_vectors(builder, left.load(i, column), right.load(j, column), totals[turn % 2])
    total = builder.fadd(*totals)
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    for half in (4, 2, 1):
        upper = [*range(half, 2 * half), *range(2 * half, LANES), *range(half)]
        moved = builder.shuffle_vector(total, undefined, ir.Constant(ir.VectorType(_INT32, LANES), upper))
        total = builder.fadd(total, moved)
    return builder.extract_element(total, _INT32(0))


@intrinsic(prefer_literal=True)
def step_unrolled(typing_context, left, i, right, j, keep, error, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Replace ``p = left[i]`` by ``keep * p + error * q``, and ``q = right[j]`` by ``keep * q + error * p``.

    Arrays and `width` as `dot_unrolled` takes them; the sum is rounded once, with its second product.
    """
    del typing_context, keep, error
    return types.void(left, i, right, j, types.float32, types.float32, width), _generate_unrolled_step


def _generate_unrolled_step(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    left, i, right, j, *factors, _ = _open_arguments(context, builder, signature, arguments)
    keep, error = (_repeat(builder, factor) for factor in factors)
    for column in _list_columns(left, signature):
        p, q = left.load(i, column), right.load(j, column)
        left.store(_fma_vectors(builder, error, q, builder.fmul(keep, p)), i, column)
        right.store(_fma_vectors(builder, error, p, builder.fmul(keep, q)), j, column)
    return context.get_dummy_value()


def _list_columns(matrix: "_Matrix", signature: Any) -> list[ir.Constant]:  # noqa: ANN401  # numba's
    """Return where the vectors of a row begin, by the constant number of columns that a signature ends with."""
    return [matrix.width.type(column) for column in range(0, signature.args[-1].literal_value, LANES)]


def _sum_lanes(builder: ir.IRBuilder, vector: ir.Value) -> ir.Value:
    """Add the eight numbers of a vector: neighbours first, then neighbouring sums."""
    numbers = [builder.extract_element(vector, _INT32(n)) for n in range(LANES)]
    while len(numbers) > 1:
        numbers = [builder.fadd(*numbers[n : n + 2]) for n in range(0, len(numbers), 2)]
    return numbers[0]


def _open_arguments(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
    """Return arrays as matrices, integers as wide as an address, and floats."""
    opened: list[Any] = []
    for kind, argument in zip(signature.args, arguments, strict=True):
        if isinstance(kind, types.Array):
            opened.append(_Matrix(builder, context.make_array(kind)(context, builder, argument)))
        elif isinstance(kind, types.Float):
            opened.append(argument)
        else:
            opened.append(context.cast(builder, argument, kind, types.intp))
    return opened


class _Matrix:
    """A C-contiguous float32 matrix, or a vector as its only row, in code that is being generated."""

    def __init__(self, builder: ir.IRBuilder, array: Any) -> None:  # noqa: ANN401  # numba's
        self.builder, self.data = builder, array.data
        self.width = builder.extract_value(array.shape, len(array.shape.type) - 1)

    def load(self, i: ir.Value, j: ir.Value) -> ir.Value:
        """Read eight numbers of row `i` from column `j` on."""
        return self.builder.load(self._locate_vector(i, j), align=4)

    def load_repeated(self, i: ir.Value, j: ir.Value) -> ir.Value:
        """Read one number, and repeat it eight times."""
        return _repeat(self.builder, self.builder.load(self._locate(i, j)))

    def store(self, vector: ir.Value, i: ir.Value, j: ir.Value) -> None:
        """Write eight numbers to row `i` from column `j` on."""
        self.builder.store(vector, self._locate_vector(i, j), align=4)

    def _locate(self, i: ir.Value, j: ir.Value) -> ir.Value:
        return self.builder.gep(self.data, [self.builder.add(self.builder.mul(i, self.width), j)])

    def _locate_vector(self, i: ir.Value, j: ir.Value) -> ir.Value:
        return self.builder.bitcast(self._locate(i, j), _VECTOR.as_pointer())


def _repeat(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    """Return a vector of eight times the same number."""
    undefined, zeros = ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.VectorType(_INT32, LANES), None)
    return builder.shuffle_vector(builder.insert_element(undefined, number, _INT32(0)), undefined, zeros)


def _offset(builder: ir.IRBuilder, value: ir.Value, n: int) -> ir.Value:
    return builder.add(value, ir.Constant(value.type, n))


def _fma_vectors(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """Compute ``x * y + z`` of eight numbers each."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v8f32"), [x, y, z])
