"""The five primitives of control flow, and the values that tell a branch not taken.

    switch       x and a truth value: x leaves by one of two outputs, the other one is dead
    merge        the first input that lives, and which one it was
    enter        x comes into frame `frame`, where it is iteration 0; a constant one stays for all
    exit         x leaves its frame
    next_iteration    x goes on in the next iteration of its frame

Any other op with a dead input makes dead outputs.  What runs a graph knows frames (`session`); the
references here say what becomes of one value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import BOOL, I64, DType
from zhisuan.graph.dims import UNKNOWN, Shape, parse
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import same_dtype, same_shape
from zhisuan.graph.registry import Call, gradient, op, shape_text


class _Dead:
    """The value on a branch that is not taken."""

    def __repr__(self) -> str:
        return "dead"


DEAD = _Dead()
NOTE = "part of If and Loop in ONNX"


def two_of_first(call: Call) -> tuple[Shape, Shape]:
    if call.dtypes[1] != BOOL or call.shapes[1] != ():
        call.fail(
            "the condition must be one truth value",
            expected="bool[]",
            found=f"{call.dtypes[1]}{shape_text(call.shapes[1])}",
        )
    return call.shapes[0], call.shapes[0]


def first_twice(call: Call) -> tuple[DType, DType]:
    return call.dtypes[0], call.dtypes[0]


@op(
    shape=two_of_first,
    dtype=first_twice,
    outputs=("if_false", "if_true"),
    onnx_note=NOTE,
    steers=True,
)
def switch(x: Any, condition: Any) -> tuple[Any, Any]:
    """x at the second output where the condition holds, else at the first; the other is dead."""
    return (DEAD, x) if condition else (x, DEAD)


def merged(call: Call) -> tuple[Shape, Shape]:
    """A size on which the inputs differ is unknown."""
    first = call.shapes[0]
    for shape in call.shapes[1:]:
        if len(shape) != len(first):
            call.fail(
                "the inputs have different numbers of axes",
                expected=shape_text(first),
                found=shape_text(shape),
            )
        first = tuple(a if a == b else UNKNOWN for a, b in zip(first, shape, strict=True))
    return first, ()


def merged_dtype(call: Call) -> tuple[DType, DType]:
    return same_dtype(call), I64


@op(shape=merged, dtype=merged_dtype, outputs=("y", "index"), onnx_note=NOTE, steers=True)
def merge(*xs: Any) -> tuple[Any, Any]:
    """The first living input and its number."""
    for index, x in enumerate(xs):
        if x is not DEAD:
            return x, np.int64(index)
    return DEAD, DEAD


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, steers=True)
def enter(x: Any, *, frame: str, constant: bool = False) -> Any:
    """x inside the frame."""
    return x


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, steers=True)
def exit_(x: Any) -> Any:
    """x outside its frame."""
    return x


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, steers=True)
def next_iteration(x: Any) -> Any:
    """x in the next iteration."""
    return x


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, steers=True, flat="of truth values")
def loop_condition(x: Any) -> Any:
    """The condition that decides whether a frame goes on; one per frame."""
    return x


@gradient("switch")
def _(g_if_false: Any, g_if_true: Any, x: Any, condition: Any) -> Any:
    """What comes back by the branch that was taken; a branch that nobody uses gives zeros."""
    sides = []
    for place, side in enumerate((g_if_false, g_if_true)):
        sides.append(F.zeros_like(F.switch(x, condition)[place]) if side is None else side)
    return F.merge(*sides)[0], None


@gradient("merge")
def _(g_y: Any, xs: Any, index: Any) -> Any:
    """What comes back goes to the input that was merged; of two inputs, as `cond` makes them."""
    assert len(xs) == 2
    return F.switch(g_y, F.equal(index, 1))


# Loops keep values for the way back on stacks, which are values themselves: a push makes a new one.

STACK = DType("stack", np.dtype(object))
"""The type of a stack: no tensor, and only the ops below take it."""


def no_axes(call: Call) -> Shape:
    return ()


def is_stack(call: Call) -> DType:
    return STACK


@op(shape=no_axes, dtype=is_stack, onnx_note=NOTE, steers=True, flat="empty")
def stack_empty(x: Any) -> Any:
    """A stack with nothing on it; of x nothing is read."""
    return ()


@op(shape=no_axes, dtype=is_stack, onnx_note=NOTE, steers=True, flat="kept for the way back")
def stack_push(stack: Any, x: Any) -> Any:
    """The stack with x on top; a dead x is kept as what it is."""
    return (stack, x)


def popped_shape(call: Call) -> tuple[Shape, Shape]:
    text = call.attrs["shape"]
    return (), tuple(parse(part) for part in text.split(",")) if text else ()


def popped_dtype(call: Call) -> tuple[DType, DType]:
    name = call.attrs["dtype"]
    return STACK, STACK if name == STACK.name else dtypes.dtype(name)


@op(shape=popped_shape, dtype=popped_dtype, outputs=("rest", "y"), onnx_note=NOTE, steers=True,
    flat="kept for the way back")  # fmt: skip
def stack_pop(stack: Any, *, dtype: str, shape: str = "") -> tuple[Any, Any]:
    """The stack without its top, and the top, which has the given type."""
    return stack
