"""Comparisons, logic on truth values, and choosing by them."""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import BOOL, DType
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import broadcast, same_dtype, same_shape
from zhisuan.graph.registry import Call, gradient, op

STEPWISE = "constant between steps"
TRUTH = "of truth values"


def truth(call: Call) -> DType:
    """The inputs have one element type; the output is bool."""
    same_dtype(call)
    return BOOL


def truth_of_truth(call: Call) -> DType:
    """Inputs and output are bool."""
    for name, dtype in zip(call.names, call.dtypes, strict=True):
        if dtype != BOOL:
            call.fail(f"input '{name}' must be truth values", expected="bool", found=str(dtype))
    return BOOL


@op(shape=broadcast, dtype=truth, onnx="Equal", aten="eq", flat=STEPWISE)
def equal(a, b):
    """Whether a = b; sizes broadcast; NaN equals nothing."""
    return np.equal(a, b)


@op(shape=broadcast, dtype=truth, aten="ne", flat=STEPWISE, onnx_note="Not(Equal) in ONNX")
def not_equal(a, b):
    """Whether a differs from b; sizes broadcast."""
    return np.not_equal(a, b)


@op(shape=broadcast, dtype=truth, onnx="Less", aten="lt", flat=STEPWISE)
def less(a, b):
    """Whether a < b; sizes broadcast."""
    return np.less(a, b)


@op(shape=broadcast, dtype=truth, onnx="LessOrEqual", aten="le", flat=STEPWISE)
def less_equal(a, b):
    """Whether a <= b; sizes broadcast."""
    return np.less_equal(a, b)


@op(shape=broadcast, dtype=truth, onnx="Greater", aten="gt", flat=STEPWISE)
def greater(a, b):
    """Whether a > b; sizes broadcast."""
    return np.greater(a, b)


@op(shape=broadcast, dtype=truth, onnx="GreaterOrEqual", aten="ge", flat=STEPWISE)
def greater_equal(a, b):
    """Whether a >= b; sizes broadcast."""
    return np.greater_equal(a, b)


@op(shape=broadcast, dtype=truth_of_truth, onnx="And", aten="logical_and", flat=TRUTH)
def logical_and(a, b):
    """Whether both hold; sizes broadcast."""
    return np.logical_and(a, b)


@op(shape=broadcast, dtype=truth_of_truth, onnx="Or", aten="logical_or", flat=TRUTH)
def logical_or(a, b):
    """Whether one or both hold; sizes broadcast."""
    return np.logical_or(a, b)


@op(shape=broadcast, dtype=truth_of_truth, onnx="Xor", aten="logical_xor", flat=TRUTH)
def logical_xor(a, b):
    """Whether just one holds; sizes broadcast."""
    return np.logical_xor(a, b)


@op(shape=same_shape, dtype=truth_of_truth, onnx="Not", aten="logical_not", flat=TRUTH)
def logical_not(x):
    """Whether x does not hold."""
    return np.logical_not(x)


def chosen(call: Call) -> DType:
    """The condition is bool, the two choices have one element type, which is the output's."""
    if call.dtypes[0] != BOOL:
        call.fail("the condition must be truth values", expected="bool", found=str(call.dtypes[0]))
    if call.dtypes[1] != call.dtypes[2]:
        call.fail(
            "the two choices must have one element type",
            expected=str(call.dtypes[1]),
            found=str(call.dtypes[2]),
        )
    return call.dtypes[1]


@op(shape=broadcast, dtype=chosen, onnx="Where", aten="where")
def where(condition, a, b):
    """a where `condition` holds, b elsewhere; sizes broadcast."""
    return np.where(condition, a, b)


@gradient("where")
def _(g, condition, a, b):
    nothing = g * 0
    return (
        None,
        F.sum_like(F.where(condition, g, nothing), a),
        F.sum_like(F.where(condition, nothing, g), b),
    )


@op(shape=same_shape, dtype=same_dtype, onnx="Sign", aten=("sign", "sgn"), flat=STEPWISE)
def sign(x):
    """-1, 0 or 1 by the sign of x; NaN stays."""
    return np.sign(x)
