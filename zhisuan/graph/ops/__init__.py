"""The rows of the op registry, one file per family; importing this package fills the registry."""

from zhisuan.graph.ops import (
    convolution,
    elementwise,
    layout,
    linear,
    normalization,
    pooling,
    quantized,
    reduce,
    resample,
)
from zhisuan.graph.registry import OPS

__all__ = [
    "OPS",
    "convolution",
    "elementwise",
    "layout",
    "linear",
    "normalization",
    "pooling",
    "quantized",
    "reduce",
    "resample",
]
