"""Launch plan of conv2d.bcl: pixel packing, filter layout, tile sizes, arena offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.matrix import WRAM_BANKS, pack_weights, weight_bytes
from zhisuan.kernels.arena import Arena, aligned, no_room, usable

PAD_MODES = ("constant", "reflect", "edge")
ACTIVATIONS = ("", "relu", "sigmoid", "tanh")
HALF, FLOAT = 2, 4
FIELD = 0xFFFF
"""The largest number of rows, columns or steps that fits a field of CONV's packed operands."""
SYNC_COST = 100
"""Cycles a pipeline step loses to latencies at its SYNC; only ranks tile sizes."""


@dataclass(frozen=True)
class Convolution:
    """Geometry in pixels and channels; the input is [height, width, ci] half, channels last."""

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


def _matrix_cycles(c: Convolution, pack: Pack, pixels: int, channels: int, machine: Machine) -> int:
    """Cycles of `pixels` blocks of the widened filter, which has `channels` results."""
    wide_h, wide_w = wide_kernel(c, pack)
    return int(machine.matrix_cycles("f16", pixels, wide_h * wide_w, c.ci, channels))


def choose_pack(c: Convolution, machine: Machine) -> Pack:
    """The block of output pixels that shares the matrix unit: the cheapest that fits WRAM.

    Blocks of several rows must divide the picture, because their spare results would lie
    between good ones; a block of one row only leaves spare results at the end of a row.
    """

    def cost(pack: Pack) -> int:
        channels = pack[0] * pack[1] * c.co
        if weight_bytes(taps_of(c, pack), channels, HALF) > machine.wram.size:
            return 1 << 62
        steps = c.out_h // pack[0] * ceil_div(c.out_w, pack[1])
        return _matrix_cycles(c, pack, steps, channels, machine)

    most = max(1, machine.matrix.elements // c.co)
    blocks = [(1, columns) for columns in range(1, min(most, c.out_w) + 1)]
    blocks += [
        (rows, columns)
        for rows in range(2, most + 1)
        for columns in range(1, most // rows + 1)
        if c.out_h % rows == 0 and c.out_w % columns == 0
    ]
    dense = [(r, w) for r, w in blocks if (r == 1 or c.dilation_h == 1) and c.dilation_w == 1]
    return min(dense or [(1, 1)], key=lambda pack: (cost(pack), pack))


def channels_per_launch(c: Convolution, machine: Machine) -> int:
    """Output channels whose filters fit WRAM together: all, or a multiple of the banks."""
    whole, bank = (
        weight_bytes(taps_of(c, (1, 1)), c.co, HALF),
        weight_bytes(taps_of(c, (1, 1)), 1, HALF),
    )
    if whole <= machine.wram.size:
        return c.co
    if bank > machine.wram.size:
        raise no_room("conv2d", str(c), "WRAM", bank, machine.wram.size, machine)
    return machine.wram.size // bank * WRAM_BANKS


def widen_filter(filters: np.ndarray, pack: Pack, strides: tuple[int, int]) -> np.ndarray:
    """[co, ci, kh, kw] → [taps, pixels·co]: the filter of block pixel (i, j) starts i·stride
    rows and j·stride columns later.

    Taps run (wide kernel row, wide kernel column, input channel), results (block row, block
    column, output channel).  Everything outside a pixel's own window is zero.
    """
    co, ci, kernel_h, kernel_w = filters.shape
    wide_h = kernel_h + (pack[0] - 1) * strides[0]
    wide_w = kernel_w + (pack[1] - 1) * strides[1]
    out = np.zeros((wide_h, wide_w, ci, *pack, co), filters.dtype)
    for i, j in np.ndindex(pack):
        y, x = i * strides[0], j * strides[1]
        out[y : y + kernel_h, x : x + kernel_w, :, i, j, :] = filters.transpose(2, 3, 1, 0)
    return out.reshape(wide_h * wide_w * ci, pack[0] * pack[1] * co)


def pack_filter(filters: np.ndarray, pack: Pack, strides: tuple[int, int]) -> np.ndarray:
    """The filter's bytes as the kernel loads them into WRAM; a re-layout, no arithmetic."""
    return pack_weights(widen_filter(filters.astype(np.float16), pack, strides))


@dataclass(frozen=True)
class _Tiling:
    """One way to cut the output.  `cycles` ranks it; DRAM counts as fast as on-chip moves, so
    that its rate cannot change the tiles, and with them the rounding of channel sums."""

    tile_h: int
    tile_w: int
    args: dict[str, int]
    cycles: int
    nram: int


def _tile(c: Convolution, pack: Pack, tile_h: int, tile_w: int, stats: bool,
          machine: Machine) -> _Tiling:  # fmt: skip
    groups_h, groups_w = ceil_div(tile_h, pack[0]), ceil_div(tile_w, pack[1])
    channels = pack[0] * pack[1] * c.co
    rows = (tile_h - 1) * c.stride_h + (c.kernel_h - 1) * c.dilation_h + 1
    columns = (groups_w * pack[1] - 1) * c.stride_w + (c.kernel_w - 1) * c.dilation_w + 1
    in_pitch = columns * c.ci * HALF
    acc_pitch = groups_w * channels * FLOAT
    in_bytes, acc_bytes = aligned(rows * in_pitch), aligned(groups_h * acc_pitch)
    out_bytes = aligned(groups_h * acc_pitch // 2)
    zero_bytes = in_pitch if c.pad_mode == "constant" else 0
    arena = Arena(machine)
    args = {
        "in_pitch": in_pitch,
        "acc_pitch": acc_pitch,
        "in_offset": arena.take(2 * in_bytes),
        "in_bytes": in_bytes,
        "acc_offset": arena.take(2 * acc_bytes),
        "acc_bytes": acc_bytes,
        "out_offset": arena.take(2 * out_bytes),
        "out_bytes": out_bytes,
        "vector_offset": arena.take(6 * c.co * FLOAT),
        "zero_offset": arena.take(zero_bytes),
        "zero_bytes": zero_bytes,
    }
    load = int(machine.transfer_cycles("none", min(columns, c.width) * c.ci * HALF, rows))
    compute = _matrix_cycles(c, pack, groups_h * groups_w, channels, machine)
    finish = (3 if stats else 1) * int(machine.vector_cycles(groups_h * acc_pitch))
    if pack[0] == 1:
        store = int(machine.transfer_cycles("none", tile_w * c.co * HALF, tile_h))
    else:
        store = int(machine.transfer_cycles("none", pack[1] * c.co * HALF, tile_h * groups_w))
    tiles = ceil_div(c.out_h, tile_h) * ceil_div(c.out_w, tile_w)
    step = max(compute, finish, load + store) + SYNC_COST
    cycles = load + tiles * step + finish + store + 3 * SYNC_COST
    return _Tiling(tile_h, tile_w, args, cycles, arena.used)


def _widths(out_w: int, block: int) -> Iterator[int]:
    """Tile widths to try, whole rows first, all multiples of the block of pixels."""
    seen = set()
    parts = 1
    while True:
        width = ceil_div(ceil_div(out_w, parts), block) * block
        if width not in seen:
            seen.add(width)
            yield width
        if width == block:
            return
        parts *= 2


def _heights(out_h: int, block: int) -> list[int]:
    """Tile heights that cut the image into equal bands of whole blocks."""
    rows = ceil_div(out_h, block)
    return sorted({ceil_div(rows, bands) * block for bands in range(1, rows + 1)})


def _check_fields(c: Convolution, pack: Pack) -> None:
    """Refuse steps that the fields of the CONV instruction cannot hold."""
    steps = (c.stride_h * pack[0], c.stride_w * pack[1], c.dilation_h, c.dilation_w)
    if max(steps) > FIELD:
        raise ZhisuanError(
            "the steps of a convolution are too large for the matrix unit",
            where=str(c),
            expected=f"strides and dilations up to {FIELD // max(pack):,}",
            found=f"strides {c.stride_h}, {c.stride_w}, dilations {c.dilation_h}, {c.dilation_w}",
        )


def plan(c: Convolution, dst_channels: int, pack: Pack, machine: Machine, *, activation: str,
         stats: bool) -> dict[str, int | float]:  # fmt: skip
    """All arguments of the kernel but its pointers; an impossible machine is an error.

    `c.co` channels are computed, of an output that has `dst_channels`.  `pack` is the block of
    pixels that shares the matrix unit, as `pack_filter` was given it.
    """
    filter_bytes = weight_bytes(taps_of(c, pack), pack[0] * pack[1] * c.co, HALF)
    _check_fields(c, pack)
    best = smallest = None
    for tile_w in _widths(c.out_w, pack[1]):
        if tile_w // pack[1] > FIELD:
            continue
        for tile_h in _heights(c.out_h, pack[0]):
            if tile_h // pack[0] > FIELD:
                break
            tiling = _tile(c, pack, tile_h, tile_w, stats, machine)
            smallest = tiling if smallest is None else min(smallest, tiling, key=lambda t: t.nram)
            if tiling.nram > usable(machine):
                break
            if best is None or tiling.cycles < best.cycles:
                best = tiling
        if best is not None:
            break
    if best is None:
        assert smallest is not None
        raise no_room("conv2d", str(c), "NRAM", smallest.nram, usable(machine), machine)
    first = min(best.tile_h, c.out_h) * min(best.tile_w, c.out_w)
    return {
        "height": c.height,
        "width": c.width,
        "ci": c.ci,
        "out_h": c.out_h,
        "out_w": c.out_w,
        "co": c.co,
        "dst_channels": dst_channels,
        "kernel_h": c.kernel_h,
        "kernel_w": c.kernel_w,
        "stride_h": c.stride_h,
        "stride_w": c.stride_w,
        "dilation_h": c.dilation_h,
        "dilation_w": c.dilation_w,
        "pad_top": c.pad_top,
        "pad_left": c.pad_left,
        "pad_mode": PAD_MODES.index(c.pad_mode),
        "activation": ACTIVATIONS.index(activation),
        "pack_h": pack[0],
        "pack_w": pack[1],
        "wide_h": wide_kernel(c, pack)[0],
        "wide_w": wide_kernel(c, pack)[1],
        "filter_bytes": filter_bytes,
        "tile_h": best.tile_h,
        "tile_w": best.tile_w,
        **best.args,
        "first_tile": 1.0 / first,
    }
