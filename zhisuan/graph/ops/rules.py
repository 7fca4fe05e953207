"""Shape and type rules that several families of ops share.

In comes a `Call`, out goes a shape or an element type; a call that breaks the rule is a
`ZhisuanError` naming node, op, what was expected and what was found.
"""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.registry import Call, shape_text


def same_shape(call: Call) -> Shape:
    """The output has the shape of the first input."""
    return call.shapes[0]


def same_dtype(call: Call) -> DType:
    """All inputs have one element type, which is the output's."""
    first = call.dtypes[0]
    if any(dtype != first for dtype in call.dtypes):
        call.fail(
            "the inputs must have one element type",
            expected=str(first),
            found=", ".join(
                f"{name}: {dtype}" for name, dtype in zip(call.names, call.dtypes, strict=True)
            ),
        )
    return first


def float_dtype(call: Call) -> DType:
    """As `same_dtype`, floating point only."""
    dtype = same_dtype(call)
    if not dtype.is_float:
        call.fail("works on floating point only", expected="f16, f32 or f64", found=str(dtype))
    return dtype


def first_dtype(call: Call) -> DType:
    """The output has the element type of the first input; the others are checked elsewhere."""
    return call.dtypes[0]


def broadcast(call: Call) -> Shape:
    """NumPy broadcasting: aligned at the right, sizes equal or 1."""
    result: list[Dim] = []
    for axis in range(max(len(shape) for shape in call.shapes)):
        size: Dim = 1
        for shape in call.shapes:
            dim = shape[-1 - axis] if axis < len(shape) else 1
            if size == 1:
                size = dim
            elif dim not in (1, size):
                call.fail(
                    "the shapes do not broadcast",
                    expected="sizes that are equal or 1, aligned at the right",
                    found=" and ".join(shape_text(shape) for shape in call.shapes),
                )
        result.insert(0, size)
    return tuple(result)


def axis_of(call: Call, axis: int, rank: int) -> int:
    """`axis` counted from the front; out of range is an error."""
    if not -rank <= axis < rank:
        call.fail(
            f"axis {axis} is out of range", expected=f"{-rank} to {rank - 1}", found=str(axis)
        )
    return axis % rank


def axes_of(call: Call, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """`axes` counted from the front, each at most once."""
    found = tuple(axis_of(call, axis, rank) for axis in axes)
    if len(set(found)) != len(found):
        call.fail("an axis is given twice", found=str(axes))
    return found


def sizes(call: Call, index: int) -> list[Dim]:
    """The known value of input `index` as a list of integers and formulas."""
    value = call.value(index)
    if value.ndim > 1 or value.dtype.kind not in "iuO":
        call.fail(
            f"input '{call.names[index]}' must list sizes",
            expected="a vector of integers",
            found=f"{value.dtype}{shape_text(value.shape)}",
        )
    return [
        item if not isinstance(item, (int, np.integer)) else int(item)
        for item in value.reshape(-1).tolist()
    ]


def numbers(call: Call, index: int) -> list[int]:
    """As `sizes`, but formulas are refused."""
    found = sizes(call, index)
    plain = [item for item in found if isinstance(item, int)]
    if len(plain) != len(found):
        call.fail(
            f"input '{call.names[index]}' must be plain numbers",
            expected="integers",
            found=shape_text(tuple(found)),
        )
    return plain
