"""Moving a tensor to another device; the numbers stay what they are."""

from __future__ import annotations

from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import first_dtype, same_dtype, same_shape
from zhisuan.graph.registry import gradient, op

NOTE = "ONNX knows no devices"


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE)
def transfer(x, *, device: str):
    """x on the device of that name."""
    return x


@gradient("transfer")
def _(g, x):
    return F.transfer_like(g, x)


@op(shape=same_shape, dtype=first_dtype, onnx_note=NOTE)
def transfer_like(x, like):
    """x on the device of `like`, of which nothing else is read."""
    return x


@gradient("transfer_like")
def _(g, x):
    return F.transfer_like(g, x), None
