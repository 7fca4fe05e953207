"""Ops that work element by element: arithmetic, activations, casts.

Integer forms also serve shape arithmetic, where arrays hold `Dim` objects instead of numbers.
"""

from __future__ import annotations

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType
from zhisuan.graph.ops.rules import broadcast, float_dtype, same_dtype, same_shape
from zhisuan.graph.registry import Call, op


@op(shape=broadcast, dtype=same_dtype, onnx=("Add", "Sum"))
def add(a, b):
    """a + b; sizes broadcast."""
    return a + b


@op(shape=broadcast, dtype=same_dtype, onnx="Sub")
def sub(a, b):
    """a - b; sizes broadcast."""
    return a - b


@op(shape=broadcast, dtype=same_dtype, onnx="Mul")
def mul(a, b):
    """a * b; sizes broadcast."""
    return a * b


@op(shape=broadcast, dtype=same_dtype, onnx="Div")
def div(a, b):
    """a / b; sizes broadcast; integers round toward zero."""
    if a.dtype.kind == "f":
        return a / b
    if a.dtype == object:
        return a // b
    return (a // b + ((a % b != 0) & ((a < 0) != (b < 0)))).astype(a.dtype)


def base_dtype(call: Call) -> DType:
    """The exponent may have a type of its own; the result has the base's."""
    return call.dtypes[0]


@op(shape=broadcast, dtype=base_dtype, onnx="Pow")
def pow(a, b):
    """a to the power b; sizes broadcast; the result has the element type of a."""
    return np.power(a, b).astype(a.dtype)


@op(shape=broadcast, dtype=same_dtype, onnx="Max")
def maximum(a, *more):
    """The largest of all inputs; sizes broadcast; NaN wins."""
    for b in more:
        a = np.maximum(a, b)
    return a


@op(shape=broadcast, dtype=same_dtype, onnx="Min")
def minimum(a, *more):
    """The smallest of all inputs; sizes broadcast; NaN wins."""
    for b in more:
        a = np.minimum(a, b)
    return a


@op(shape=same_shape, dtype=same_dtype, onnx="Neg")
def neg(x):
    """-x."""
    return -x


@op(shape=same_shape, dtype=same_dtype, onnx="Abs")
def abs(x):
    """x without its sign."""
    return np.abs(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Sqrt")
def sqrt(x):
    """The square root of x."""
    return np.sqrt(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Reciprocal")
def reciprocal(x):
    """1 / x."""
    return np.reciprocal(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Exp")
def exp(x):
    """e to the power x."""
    return np.exp(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Log")
def log(x):
    """The natural logarithm of x."""
    return np.log(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Tanh")
def tanh(x):
    """The hyperbolic tangent of x."""
    return np.tanh(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Sigmoid")
def sigmoid(x):
    """1 / (1 + e^-x), written so that no exponential overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


@op(shape=same_shape, dtype=same_dtype, onnx="Relu")
def relu(x):
    """x where positive, else 0; NaN stays."""
    return np.maximum(x, x.dtype.type(0))


@op(shape=same_shape, dtype=float_dtype, onnx="LeakyRelu")
def leaky_relu(x, *, alpha: float = 0.01):
    """x where positive, else alpha * x."""
    return np.where(x >= 0, x, x * x.dtype.type(alpha))


@op(shape=same_shape, dtype=same_dtype, onnx="Clip")
def clip(x, *, low: float = -np.inf, high: float = np.inf):
    """x held between low and high."""
    return np.clip(x, low, high).astype(x.dtype)


@op(shape=same_shape, dtype=same_dtype, onnx=("Identity", "Dropout"))
def identity(x):
    """x itself."""
    return x


def cast_dtype(call: Call) -> DType:
    """The type that the attribute names."""
    return dtypes.dtype(call.attrs["to"])


@op(shape=same_shape, dtype=cast_dtype, onnx="Cast")
def cast(x, *, to: str):
    """x as element type `to`; floats become integers by rounding toward zero."""
    if x.dtype == object:
        if dtypes.dtype(to).numpy.kind not in "iu":
            raise TypeError("a symbolic size cannot become a float")
        return x
    return x.astype(dtypes.dtype(to).numpy)
