"""Ops that work element by element: arithmetic, activations, casts.

Integer forms also serve shape arithmetic, where arrays hold `Dim` objects instead of numbers.
"""

from __future__ import annotations

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import broadcast, float_dtype, same_dtype, same_shape
from zhisuan.graph.registry import Call, gradient, op


@op(shape=broadcast, dtype=same_dtype, onnx=("Add", "Sum"))
def add(a, b):
    """a + b; sizes broadcast."""
    return a + b


@gradient("add")
def _(g, a, b):
    return F.sum_like(g, a), F.sum_like(g, b)


@op(shape=broadcast, dtype=same_dtype, onnx="Sub")
def sub(a, b):
    """a - b; sizes broadcast."""
    return a - b


@gradient("sub")
def _(g, a, b):
    return F.sum_like(g, a), F.sum_like(-g, b)


@op(shape=broadcast, dtype=same_dtype, onnx="Mul")
def mul(a, b):
    """a * b; sizes broadcast."""
    return a * b


@gradient("mul")
def _(g, a, b):
    return F.sum_like(g * b, a), F.sum_like(g * a, b)


@op(shape=broadcast, dtype=same_dtype, onnx="Div")
def div(a, b):
    """a / b; sizes broadcast; integers round toward zero."""
    if a.dtype.kind == "f":
        return a / b
    if a.dtype == object:
        return a // b
    return (a // b + ((a % b != 0) & ((a < 0) != (b < 0)))).astype(a.dtype)


@gradient("div")
def _(g, a, b, y):
    return F.sum_like(g / b, a), F.sum_like(-g * y / b, b)


def base_dtype(call: Call) -> DType:
    """The exponent may have a type of its own; the result has the base's."""
    return call.dtypes[0]


@op(shape=broadcast, dtype=base_dtype, onnx="Pow")
def pow(a, b):
    """a to the power b; sizes broadcast; the result has the element type of a."""
    return np.power(a, b).astype(a.dtype)


@gradient("pow")
def _(g, a, b, y):
    factor = b if b.dtype == a.dtype else F.cast(b, to=a.dtype.name)
    power = F.sum_like(g * factor * F.pow(a, factor - 1), a)
    if not b.dtype.is_float:
        return power, None
    safe = F.where(a > 0, a, 1)
    return power, F.sum_like(g * y * F.log(safe), b)


@op(shape=broadcast, dtype=same_dtype, onnx="Max")
def maximum(a, *more):
    """The largest of all inputs; sizes broadcast; NaN wins."""
    for b in more:
        a = np.maximum(a, b)
    return a


@gradient("maximum")
def _(g, a, more, y):
    return _shared(g, y, (a, *more))


def _shared(g, y, inputs):
    """`g` handed to the inputs that are the result, in equal parts."""
    wins = [F.cast(F.equal(item, y), to=y.dtype.name) for item in inputs]
    total = wins[0]
    for item in wins[1:]:
        total = total + item
    return tuple(F.sum_like(g * win / total, item) for win, item in zip(wins, inputs, strict=True))


@op(shape=broadcast, dtype=same_dtype, onnx="Min")
def minimum(a, *more):
    """The smallest of all inputs; sizes broadcast; NaN wins."""
    for b in more:
        a = np.minimum(a, b)
    return a


@gradient("minimum")
def _(g, a, more, y):
    return _shared(g, y, (a, *more))


@op(shape=same_shape, dtype=same_dtype, onnx="Neg")
def neg(x):
    """-x."""
    return -x


@gradient("neg")
def _(g):
    return -g


@op(shape=same_shape, dtype=same_dtype, onnx="Abs")
def abs(x):
    """x without its sign."""
    return np.abs(x)


@gradient("abs")
def _(g, x):
    return g * F.sign(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Sqrt")
def sqrt(x):
    """The square root of x."""
    return np.sqrt(x)


@gradient("sqrt")
def _(g, y):
    return g / (y + y)


@op(shape=same_shape, dtype=float_dtype, onnx="Reciprocal")
def reciprocal(x):
    """1 / x."""
    return np.reciprocal(x)


@gradient("reciprocal")
def _(g, y):
    return -g * y * y


@op(shape=same_shape, dtype=float_dtype, onnx="Exp")
def exp(x):
    """e to the power x."""
    return np.exp(x)


@gradient("exp")
def _(g, y):
    return g * y


@op(shape=same_shape, dtype=float_dtype, onnx="Log")
def log(x):
    """The natural logarithm of x."""
    return np.log(x)


@gradient("log")
def _(g, x):
    return g / x


@op(shape=same_shape, dtype=float_dtype, onnx="Tanh")
def tanh(x):
    """The hyperbolic tangent of x."""
    return np.tanh(x)


@gradient("tanh")
def _(g, y):
    return g * (1 - y * y)


@op(shape=same_shape, dtype=float_dtype, onnx="Sigmoid")
def sigmoid(x):
    """1 / (1 + e^-x), written so that no exponential overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


@gradient("sigmoid")
def _(g, y):
    return g * y * (1 - y)


@op(shape=same_shape, dtype=same_dtype, onnx="Relu")
def relu(x):
    """x where positive, else 0; NaN stays."""
    return np.maximum(x, x.dtype.type(0))


@gradient("relu")
def _(g, y):
    return F.where(y > 0, g, 0)


@op(shape=same_shape, dtype=float_dtype, onnx="LeakyRelu")
def leaky_relu(x, *, alpha: float = 0.01):
    """x where positive, else alpha * x."""
    return np.where(x >= 0, x, x * x.dtype.type(alpha))


@gradient("leaky_relu")
def _(g, x, alpha):
    return F.where(x >= 0, g, g * alpha)


@op(shape=same_shape, dtype=same_dtype, onnx="Clip")
def clip(x, *, low: float = -np.inf, high: float = np.inf):
    """x held between low and high."""
    return np.clip(x, low, high).astype(x.dtype)


@gradient("clip")
def _(g, x, low, high):
    inside = F.logical_and(x >= low, x <= high)
    return F.where(inside, g, 0)


@op(shape=same_shape, dtype=same_dtype, onnx=("Identity", "Dropout"))
def identity(x):
    """x itself."""
    return x


@gradient("identity")
def _(g):
    return g


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


@gradient("cast")
def _(g, x):
    return F.cast(g, to=x.dtype.name)
