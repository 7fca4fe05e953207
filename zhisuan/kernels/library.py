"""Compiled kernels of this library, by name; the compiler caches them by content."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from zhisuan import bcl

HERE = Path(__file__).parent

NAMES = (
    "channel_sums",
    "conv2d",
    "elementwise",
    "instance_norm",
    "linear",
    "pad",
    "pool2d",
    "rescale",
    "resize_nearest",
    "softmax",
    "vecmat",
)


HEADERS = ("product.h", "tile.h")
"""What the kernels include beside <bang.h>."""


def source(name: str) -> str:
    """The kernel's BCL text."""
    return (HERE / f"{name}.bcl").read_text(encoding="utf-8")


@cache
def compiled(name: str) -> bcl.Compiled:
    """The kernel through the compiler: program, LLVM IR and assembly."""
    return bcl.compile(source(name), f"{name}.bcl", include_dirs=(HERE,))
