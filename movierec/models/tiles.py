"""The innermost step of normal equations, a tile of a matrix product, written in vectors of eight numbers.

The compiler does not keep a tile in registers over a loop by itself, which makes it three times as slow.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

TILE_ROWS: Final = 4
TILE_COLUMNS: Final = 16
_VECTOR: Final = ir.VectorType(ir.FloatType(), 8)
_INT32: Final = ir.IntType(32)


@intrinsic
def fma(typing_context, x, y, z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Compute ``x * y + z`` of floats of one type with a single rounding, in compiled code."""
    del typing_context, y, z

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        del context, signature
        return builder.fma(*arguments)

    return x(x, x, x), generate


@intrinsic
def add_tile(typing_context, system, left, right, count, row, column):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Add ``left[:count, row:row + 4].T @ right[:count, column:column + 16]`` to that tile of `system`.

    All three are C-contiguous float32 matrices of one width; nothing checks the bounds. Each cell takes its products
    one after another, each with a single rounding.
    """
    del typing_context
    return types.void(system, left, right, count, row, column), _generate_tile


def _generate_tile(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    arrays = [context.make_array(signature.args[n])(context, builder, arguments[n]) for n in range(3)]
    system, left, right = (_Matrix(builder, array) for array in arrays)
    count, row, column = arguments[3:]
    rows = [_offset(builder, row, n) for n in range(TILE_ROWS)]
    columns = [_offset(builder, column, n) for n in range(0, TILE_COLUMNS, _VECTOR.count)]
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


class _Matrix:
    """A C-contiguous float32 matrix in code that is being generated."""

    def __init__(self, builder: ir.IRBuilder, array: Any) -> None:  # noqa: ANN401  # numba's
        self.builder, self.data = builder, array.data
        self.width = builder.extract_value(array.shape, 1)

    def load(self, i: ir.Value, j: ir.Value) -> ir.Value:
        """Read eight numbers of row `i` from column `j` on."""
        return self.builder.load(self._locate_vector(i, j), align=4)

    def load_repeated(self, i: ir.Value, j: ir.Value) -> ir.Value:
        """Read one number, and repeat it eight times."""
        undefined, zeros = ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.VectorType(_INT32, _VECTOR.count), None)
        number = self.builder.load(self._locate(i, j))
        return self.builder.shuffle_vector(self.builder.insert_element(undefined, number, _INT32(0)), undefined, zeros)

    def store(self, vector: ir.Value, i: ir.Value, j: ir.Value) -> None:
        """Write eight numbers to row `i` from column `j` on."""
        self.builder.store(vector, self._locate_vector(i, j), align=4)

    def _locate(self, i: ir.Value, j: ir.Value) -> ir.Value:
        return self.builder.gep(self.data, [self.builder.add(self.builder.mul(i, self.width), j)])

    def _locate_vector(self, i: ir.Value, j: ir.Value) -> ir.Value:
        return self.builder.bitcast(self._locate(i, j), _VECTOR.as_pointer())


def _offset(builder: ir.IRBuilder, value: ir.Value, n: int) -> ir.Value:
    return builder.add(value, ir.Constant(value.type, n))


def _fma_vectors(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """Compute ``x * y + z`` of eight numbers each."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v8f32"), [x, y, z])
