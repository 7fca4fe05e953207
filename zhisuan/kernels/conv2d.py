"""Launch plan of conv2d.bcl: pixel packing, filter layout, tile sizes, arena offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.matrix import pack_weights, weight_bytes
from zhisuan.kernels.arena import Arena, aligned, no_room

PAD_MODES = ("constant", "reflect", "edge")
ACTIVATIONS = ("", "relu", "sigmoid", "tanh")
HALF, FLOAT = 2, 4
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


def wide_kernel(c: Convolution, pack: int) -> int:
    """Columns of the filter that computes `pack` neighbouring pixels at once."""
    return c.kernel_w + (pack - 1) * c.stride_w


def choose_pack(c: Convolution, machine: Machine) -> int:
    """How many neighbouring output pixels share the matrix unit: the cheapest that fits."""
    if c.dilation_w > 1:
        return 1

    def cost(pack: int) -> int:
        taps = c.kernel_h * wide_kernel(c, pack) * c.ci
        groups = c.out_h * ceil_div(c.out_w, pack)
        if weight_bytes(taps, pack * c.co, HALF) > machine.wram.size:
            return 1 << 62
        return int(machine.matrix_cycles("f16", groups, taps, pack * c.co))

    most = max(1, min(c.out_w, machine.matrix.elements // c.co))
    return min(range(1, most + 1), key=lambda pack: (cost(pack), pack))


def widen_filter(filters: np.ndarray, pack: int, stride_w: int) -> np.ndarray:
    """[co, ci, kh, kw] → [taps, pack·co]: pixel p's filter starts p·stride_w columns later.

    Taps run (kernel row, wide kernel column, input channel); output channel p·co + c is
    channel c of pixel p.  Everything outside a pixel's own window is zero.
    """
    co, ci, kernel_h, kernel_w = filters.shape
    wide = kernel_w + (pack - 1) * stride_w
    out = np.zeros((kernel_h, wide, ci, pack, co), filters.dtype)
    for p in range(pack):
        start = p * stride_w
        out[:, start : start + kernel_w, :, p, :] = filters.transpose(2, 3, 1, 0)
    return out.reshape(kernel_h * wide * ci, pack * co)


def pack_filter(filters: np.ndarray, pack: int, stride_w: int) -> np.ndarray:
    """The filter's bytes as the kernel loads them into WRAM; a re-layout, no arithmetic."""
    return pack_weights(widen_filter(filters.astype(np.float16), pack, stride_w))


@dataclass(frozen=True)
class _Tiling:
    tile_h: int
    tile_w: int
    args: dict[str, int]
    cycles: int
    nram: int


def _tile(c: Convolution, pack: int, tile_h: int, tile_w: int, stats: bool,
          machine: Machine) -> _Tiling:  # fmt: skip
    groups = ceil_div(tile_w, pack)
    rows = (tile_h - 1) * c.stride_h + (c.kernel_h - 1) * c.dilation_h + 1
    columns = (groups * pack - 1) * c.stride_w + (c.kernel_w - 1) * c.dilation_w + 1
    in_pitch = columns * c.ci * HALF
    acc_pitch = groups * pack * c.co * FLOAT
    in_bytes, acc_bytes = aligned(rows * in_pitch), aligned(tile_h * acc_pitch)
    out_bytes = aligned(tile_h * acc_pitch // 2)
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
    taps = c.kernel_h * wide_kernel(c, pack) * c.ci
    load = int(machine.transfer_cycles("read", min(columns, c.width) * c.ci * HALF, rows))
    compute = int(machine.matrix_cycles("f16", tile_h * groups, taps, pack * c.co))
    finish = (3 if stats else 1) * int(machine.vector_cycles(tile_h * acc_pitch))
    store = int(machine.transfer_cycles("write", tile_w * c.co * HALF, tile_h))
    tiles = ceil_div(c.out_h, tile_h) * ceil_div(c.out_w, tile_w)
    step = max(compute, finish, load + store) + SYNC_COST
    cycles = load + tiles * step + finish + store + 3 * SYNC_COST
    return _Tiling(tile_h, tile_w, args, cycles, arena.used)


def _widths(c: Convolution, pack: int) -> Iterator[int]:
    """Tile widths to try, whole rows first, all multiples of the pixel packing."""
    seen = set()
    parts = 1
    while True:
        width = ceil_div(ceil_div(c.out_w, parts), pack) * pack
        if width not in seen:
            seen.add(width)
            yield width
        if width == pack:
            return
        parts *= 2


def _heights(out_h: int) -> list[int]:
    """Tile heights that cut the image into equal bands."""
    return sorted({ceil_div(out_h, bands) for bands in range(1, out_h + 1)})


def plan(c: Convolution, machine: Machine, *, activation: str, stats: bool) -> dict[str, int]:
    """All arguments of the kernel but its pointers; an impossible machine is an error."""
    pack = choose_pack(c, machine)
    taps = c.kernel_h * wide_kernel(c, pack) * c.ci
    filter_bytes = weight_bytes(taps, pack * c.co, HALF)
    if filter_bytes > machine.wram.size:
        raise no_room("conv2d", str(c), "WRAM", filter_bytes, machine.wram.size, machine)
    best = smallest = None
    for tile_w in _widths(c, pack):
        for tile_h in _heights(c.out_h):
            tiling = _tile(c, pack, tile_h, tile_w, stats, machine)
            smallest = tiling if smallest is None else min(smallest, tiling, key=lambda t: t.nram)
            if tiling.nram > machine.nram_usable:
                break
            if best is None or tiling.cycles < best.cycles:
                best = tiling
        if best is not None:
            break
    if best is None:
        assert smallest is not None
        raise no_room("conv2d", str(c), "NRAM", smallest.nram, machine.nram_usable, machine)
    first = min(best.tile_h, c.out_h) * min(best.tile_w, c.out_w)
    return {
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
        "pack": pack,
        "wide_kernel": wide_kernel(c, pack),
        "filter_bytes": filter_bytes,
        "tile_h": best.tile_h,
        "tile_w": best.tile_w,
        **best.args,
        "first_tile": 1.0 / first,
    }  # type: ignore[return-value]
