"""Activations beyond relu, sigmoid and tanh, as networks call them."""

from __future__ import annotations

import numpy as np

from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import broadcast, float_dtype, same_shape
from zhisuan.graph.registry import gradient, op


@op(shape=same_shape, dtype=float_dtype, onnx="Elu", aten="elu")
def elu(x, *, alpha: float = 1.0):
    """x where positive, else alpha · (e^x - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))).astype(x.dtype)


@gradient("elu")
def _(g, x, y, alpha):
    return F.where(x > 0, g, g * (y + alpha))


SELU_ALPHA, SELU_GAMMA = 1.6732632423543772, 1.0507009873554805
"""Klambauer et al., Self-Normalizing Neural Networks, 2017: they keep mean 0 and variance 1."""


@op(shape=same_shape, dtype=float_dtype, onnx="Selu", aten="selu")
def selu(x, *, alpha: float = SELU_ALPHA, gamma: float = SELU_GAMMA):
    """gamma · x where positive, else gamma · alpha · (e^x - 1)."""
    return (gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))).astype(x.dtype)


@gradient("selu")
def _(g, x, y, alpha, gamma):
    return F.where(x > 0, g * gamma, g * (y + alpha * gamma))


@op(shape=broadcast, dtype=float_dtype, onnx="PRelu", aten="prelu")
def prelu(x, slope):
    """x where positive, else slope · x; the slope broadcasts."""
    return np.where(x >= 0, x, slope * x)


@gradient("prelu")
def _(g, x, slope):
    below = F.where(x >= 0, F.zeros_like(x), x)
    return F.sum_like(F.where(x >= 0, g, g * slope), x), F.sum_like(g * below, slope)


@op(shape=same_shape, dtype=float_dtype, onnx="HardSigmoid", aten="hardsigmoid")
def hard_sigmoid(x, *, alpha: float = 0.2, beta: float = 0.5):
    """alpha · x + beta, held between 0 and 1."""
    return np.clip(x * x.dtype.type(alpha) + x.dtype.type(beta), 0, 1)


@gradient("hard_sigmoid")
def _(g, y, alpha):
    return F.where(F.logical_and(y > 0, y < 1), g * alpha, 0)


@op(shape=same_shape, dtype=float_dtype, onnx="Shrink", aten=("softshrink", "hardshrink"))
def shrink(x, *, low: float = 0.5, bias: float = 0.0):
    """x moved towards 0 by `bias` where it is farther from 0 than `low`, else 0."""
    return np.where(x < -low, x + bias, np.where(x > low, x - bias, 0)).astype(x.dtype)


@gradient("shrink")
def _(g, x, low):
    return F.where(F.abs(x) > low, g, 0)


@op(shape=same_shape, dtype=float_dtype, onnx="LogSoftmax", aten="log_softmax")
def log_softmax(x, *, axis: int = -1):
    """The logarithm of softmax along `axis`, exact where softmax would be 0."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    total = np.sum(np.exp(shifted), axis=axis, keepdims=True, dtype=x.dtype)
    return shifted - np.log(total)


@gradient("log_softmax")
def _(g, y, axis):
    return g - F.exp(y) * F.reduce_sum(g, axes=(axis,), keepdims=True)


@op(shape=same_shape, dtype=float_dtype, onnx="Hardmax", flat="constant between steps")
def hardmax(x, *, axis: int = -1):
    """1 at the first largest element along `axis`, 0 elsewhere."""
    first = np.expand_dims(np.argmax(x, axis=axis), axis)
    y = np.zeros_like(x)
    np.put_along_axis(y, first, 1, axis)
    return y
