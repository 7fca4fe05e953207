"""The geometry of a convolution, and of blocks of pixels that share the matrix unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zhisuan.arch.machine import Machine
from zhisuan.kernels.element_types import HALF_TO_HALF, ElementTypes

FIELD = 0xFFFF
"""The largest number of rows, columns or steps that fits a field of CONV's packed operands."""


@dataclass(frozen=True)
class Convolution:
    """Geometry in pixels and channels; the input is [height, width, ci], channels last."""

    height: int
    width: int
    ci: int
    out_h: int
    out_w: int
    co: int
    kernel_h: int
    kernel_w: int
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 0
    pad_left: int = 0
    pad_mode: str = "constant"
    types: ElementTypes = HALF_TO_HALF

    def __str__(self) -> str:
        return (
            f"convolution {self.kernel_h}×{self.kernel_w}, {self.ci}→{self.co} channels, "
            f"output {self.out_h}×{self.out_w}"
        )


Pack = tuple[int, int]
"""Rows and columns of the block of output pixels that shares the matrix unit."""


def wide_kernel(c: Convolution, pack: Pack) -> tuple[int, int]:
    """Rows and columns of the filter that computes a block of pixels at once."""
    return c.kernel_h + (pack[0] - 1) * c.stride_h, c.kernel_w + (pack[1] - 1) * c.stride_w


def taps_of(c: Convolution, pack: Pack) -> int:
    """Multiply-accumulates per result of the widened filter, zeros included."""
    wide_h, wide_w = wide_kernel(c, pack)
    return wide_h * wide_w * c.ci


def matrix_cycles(c: Convolution, pack: Pack, pixels: Any, channels: int, machine: Machine) -> Any:
    """Cycles of `pixels` blocks of the widened filter, which has `channels` results."""
    wide_h, wide_w = wide_kernel(c, pack)
    return machine.matrix_cycles(c.types.source, pixels, wide_h * wide_w, c.ci, channels)
