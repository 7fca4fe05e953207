"""The rows of the op registry, one file per family; importing this package fills the registry."""

from zhisuan.graph.ops import (
    compare,
    control,
    convolution,
    convolution_nd,
    elementwise,
    indexing,
    layout,
    like,
    linear,
    mathematics,
    normalization,
    place,
    pooling,
    quantized,
    reduce,
    resample,
    state,
)
from zhisuan.graph.registry import OPS

__all__ = [
    "OPS",
    "compare",
    "control",
    "convolution",
    "convolution_nd",
    "elementwise",
    "indexing",
    "layout",
    "like",
    "linear",
    "mathematics",
    "normalization",
    "place",
    "pooling",
    "quantized",
    "reduce",
    "resample",
    "state",
]
