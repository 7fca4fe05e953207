"""Launch plan of conv2d.bcl: pixel packing, the filter's layout, arguments, tasks."""

from __future__ import annotations

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.matrix import WRAM_BANKS, pack_weights, weight_bytes
from zhisuan.kernels.arena import no_room, usable
from zhisuan.kernels.conv2d_tiles import NEVER, Split, Tiling, arena_args, best_tiling, splits
from zhisuan.kernels.convolution import (
    FIELD,
    Convolution,
    Pack,
    matrix_cycles,
    taps_of,
    wide_kernel,
)
from zhisuan.kernels.launch_plan import LaunchPlan, on_clusters
from zhisuan.kernels.tile import ACTIVATIONS, PAD_MODES


def choose_pack(c: Convolution, machine: Machine) -> Pack:
    """The block of output pixels that shares the matrix unit: the cheapest that fits WRAM.

    Blocks of several rows must divide the picture, because their spare results would lie
    between good ones; a block of one row only leaves spare results at the end of a row.
    """

    def cost(pack: Pack) -> int:
        channels = pack[0] * pack[1] * c.co
        if weight_bytes(taps_of(c, pack), channels, c.types.in_size) > machine.wram.size:
            return 1 << 62
        steps = c.out_h // pack[0] * ceil_div(c.out_w, pack[1])
        return matrix_cycles(c, pack, steps, channels, machine)

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


def pack_filter(filters: np.ndarray, pack: Pack, strides: tuple[int, int],
                slices: int = 1) -> np.ndarray:  # fmt: skip
    """The filter's bytes as the kernel loads them into WRAM; a re-layout, no arithmetic.

    Parts of whole groups of banks are pieces of it; with slices each group comes in so many.
    """
    wide = widen_filter(filters, pack, strides)
    if slices == 1:
        return pack_weights(wide)
    ci = filters.shape[1] // slices
    taps = wide.reshape(-1, slices, ci, wide.shape[1]).swapaxes(0, 1)
    pieces = taps.reshape(slices, -1, wide.shape[1])
    groups = np.split(pieces, range(WRAM_BANKS, wide.shape[1], WRAM_BANKS), axis=2)
    packed = [pack_weights(piece) for group in groups for piece in group]
    return np.concatenate(packed)


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


def plan(c: Convolution, pack: Pack, machine: Machine, *, activation: str,
         stats: bool) -> tuple[LaunchPlan, int]:  # fmt: skip
    """The launch plan, and how many tasks make channel sums; an impossible machine is an error.

    `pack` is the block of pixels that shares the matrix unit, as `pack_filter` was given it.
    """
    _check_fields(c, pack)
    found = [best_tiling(c, pack, s, stats, machine) for s in splits(c, pack, stats, machine)]
    smallest = min((size for _, size in found), default=NEVER)
    if smallest == NEVER:
        bank = weight_bytes(taps_of(c, pack), 1, c.types.in_size)
        raise no_room("conv2d", str(c), "WRAM", bank, machine.wram.size, machine)
    fitting = [tiling for tiling, _ in found if tiling]
    if not fitting:
        raise no_room("conv2d", str(c), "NRAM", smallest, usable(machine), machine)
    best = min(fitting, key=lambda tiling: tiling.cost)
    args: dict[str, int | float] = {
        "types": c.types.number,
        "height": c.height,
        "width": c.width,
        "ci": c.ci,
        "out_h": c.out_h,
        "out_w": c.out_w,
        "co": c.co,
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
        "filter_bytes": _filter_bytes(c, pack, best.split),
        "part": best.split.part,
        "slices": best.split.slices,
        "piece_bytes": best.split.piece_bytes,
        "buffers": best.split.buffers,
        "ways": best.split.ways,
        "tile_h": best.tile_h,
        "tile_w": best.tile_w,
        **arena_args(c, pack, best, machine),
    }
    return _tasks(best, args, machine), min(best.split.crew, best.tiles)


def _filter_bytes(c: Convolution, pack: Pack, split: Split) -> int:
    if split.slices > 1:
        return ceil_div(c.co, split.part) * split.slices * split.piece_bytes
    return weight_bytes(taps_of(c, pack), pack[0] * pack[1] * c.co, c.types.in_size)


def _tasks(best: Tiling, args: dict[str, int | float], machine: Machine) -> LaunchPlan:
    """No more tasks than there are tiles for, whole clusters where they share weights."""
    split = best.split
    used = min(split.teams // split.ways, ceil_div(best.tiles, split.lanes)) * split.ways
    if split.together:
        return on_clusters(args, used, machine)
    return LaunchPlan(args, used)
