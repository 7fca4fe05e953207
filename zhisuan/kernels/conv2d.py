"""Launch plan of conv2d.bcl: pixel packing, parts of the filter, tiles, arena offsets, tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.matrix import WRAM_BANKS, pack_weights, weight_bytes
from zhisuan.kernels.arena import Arena, aligned, no_room, usable
from zhisuan.kernels.element_types import HALF_TO_HALF, ElementTypes
from zhisuan.kernels.launch_plan import LaunchPlan, on_clusters, shares_weights

PAD_MODES = ("constant", "reflect", "edge")
ACTIVATIONS = ("", "relu", "sigmoid", "tanh")
FLOAT = 4
"""Bytes of a sum, of FP32 or INT32."""
FIELD = 0xFFFF
"""The largest number of rows, columns or steps that fits a field of CONV's packed operands."""
SYNC_COST = 100
"""Cycles a pipeline step loses to latencies at its SYNC; only ranks tile sizes."""


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


def _matrix_cycles(c: Convolution, pack: Pack, pixels: int, channels: int, machine: Machine) -> int:
    """Cycles of `pixels` blocks of the widened filter, which has `channels` results."""
    wide_h, wide_w = wide_kernel(c, pack)
    return int(machine.matrix_cycles(c.types.source, pixels, wide_h * wide_w, c.ci, channels))


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
    """The filter's bytes as the kernel loads them into WRAM; a re-layout, no arithmetic.

    Parts of whole groups of banks are pieces of it.
    """
    return pack_weights(widen_filter(filters, pack, strides))


@dataclass(frozen=True)
class _Split:
    """How the work is shared out: `teams` (clusters that share weights, or single cores) of
    `lanes` tasks.

    Each of `ways` groups of teams makes every `ways`-th part of `part` output channels; the
    `crew` of tasks in such a group share the tiles.  `buffers` parts fit WRAM.
    """

    together: bool
    teams: int
    lanes: int
    ways: int
    part: int
    part_bytes: int
    buffers: int

    @property
    def crew(self) -> int:
        return self.teams // self.ways * self.lanes


def _splits(c: Convolution, pack: Pack, stats: bool, machine: Machine) -> Iterator[_Split]:
    """Ways to share out the work; with channel sums every task makes all channels, if it can."""
    if shares_weights(machine):
        teams = machine.chip.clusters, machine.chip.cores_per_cluster
        room = min(machine.wram.size, machine.sram.size - machine.sram.stack)
        yield from _splits_among(True, *teams, room, c, pack, stats)
    yield from _splits_among(False, machine.cores, 1, machine.wram.size, c, pack, stats)


def _splits_among(together: bool, teams: int, lanes: int, room: int, c: Convolution, pack: Pack,
                  stats: bool) -> Iterator[_Split]:  # fmt: skip
    """Splits whose parts fit `room` bytes."""
    block = pack[0] * pack[1]
    size = c.types.in_size
    whole = weight_bytes(taps_of(c, pack), block * c.co, size)
    if whole <= room:
        yield _Split(together, teams, lanes, 1, c.co, whole, 1)
    if block > 1 or (stats and whole <= room):
        return
    bank = weight_bytes(taps_of(c, pack), 1, size)
    for ways in (n for n in range(1, teams + 1) if teams % n == 0):
        most = min(room // bank, ceil_div(ceil_div(c.co, ways), WRAM_BANKS))
        for groups in {most, min(most, room // 2 // bank)} - {0}:
            part = min(groups * WRAM_BANKS, c.co)
            held = 2 if 2 * groups * bank <= room and part < c.co else 1
            if (ways, part) != (1, c.co):
                yield _Split(together, teams, lanes, ways, part, groups * bank, held)


@dataclass(frozen=True)
class _Tiling:
    """One way to cut the output.  `cost` ranks it: the cycles of the slower of a core and the
    DRAM that all share, and half of the other's, because they overlap only in part.  Where
    channel sums are made, and would round otherwise in other tiles, all DRAM counts as fast as
    a core's on-chip moves: its rate must not change a value."""

    split: _Split
    tile_h: int
    tile_w: int
    tiles: int
    args: dict[str, int]
    cost: int
    nram: int


def _tile(c: Convolution, pack: Pack, split: _Split, tile_h: int, tile_w: int, stats: bool,
          machine: Machine) -> _Tiling:  # fmt: skip
    groups_h, groups_w = ceil_div(tile_h, pack[0]), ceil_div(tile_w, pack[1])
    channels = pack[0] * pack[1] * split.part
    rows = (tile_h - 1) * c.stride_h + (c.kernel_h - 1) * c.dilation_h + 1
    columns = (groups_w * pack[1] - 1) * c.stride_w + (c.kernel_w - 1) * c.dilation_w + 1
    in_pitch = columns * c.ci * c.types.in_size
    results = groups_h * groups_w * channels
    in_bytes, acc_bytes = aligned(rows * in_pitch), aligned(results * FLOAT)
    out_bytes = aligned(results * c.types.out_size)
    zero_bytes = in_pitch if c.pad_mode == "constant" else 0
    tiles = ceil_div(c.out_h, tile_h) * ceil_div(c.out_w, tile_w)
    turns = ceil_div(tiles, split.crew)
    doubled = 2 if turns > 1 else 1
    arena = Arena(machine)
    args = {
        "in_pitch": in_pitch,
        "in_offset": arena.take(doubled * in_bytes),
        "in_bytes": in_bytes,
        "acc_offset": arena.take(doubled * acc_bytes),
        "acc_bytes": acc_bytes,
        "out_offset": arena.take(doubled * out_bytes),
        "out_bytes": out_bytes,
        "vector_offset": arena.take(7 * split.part * FLOAT),
        "zero_offset": arena.take(zero_bytes),
        "zero_bytes": zero_bytes,
    }
    loaded = rows * min(columns, c.width) * c.ci * c.types.in_size
    load = int(machine.transfer_cycles("none", loaded // rows, rows))
    compute = _matrix_cycles(c, pack, groups_h * groups_w, channels, machine)
    finish = (3 if stats else 1) * int(machine.vector_cycles(results * FLOAT))
    pieces = tile_h if pack[0] == 1 else tile_h * groups_w
    store = int(machine.transfer_cycles("none", tile_h * tile_w * split.part
                                        * c.types.out_size // pieces, pieces))  # fmt: skip
    step = max(compute, finish, load + store) + SYNC_COST
    parts = ceil_div(ceil_div(c.co, split.part), split.ways)
    fetch = 0 if split.buffers == 2 else split.part_bytes // machine.move.bytes_per_cycle
    cycles = parts * (fetch + load + turns * step + finish + store + 3 * SYNC_COST)
    loads = split.ways * tiles * (1 if turns == 1 else parts) * loaded
    stored = c.out_h * c.out_w * c.co * c.types.out_size
    weights = parts * split.part_bytes * split.teams
    rate = machine.move.bytes_per_cycle if stats else machine.dram_bytes_per_cycle
    moved = int((loads + stored + weights) / rate)
    cost = max(cycles, moved) + min(cycles, moved) // 2
    if turns == 1:  # nothing to compute while it loads
        cost += int(loads / rate)
    return _Tiling(split, tile_h, tile_w, tiles, args, cost, arena.used)


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


def _best(c: Convolution, pack: Pack, split: _Split, stats: bool,
          machine: Machine) -> tuple[_Tiling | None, _Tiling | None]:  # fmt: skip
    """The cheapest tiling of a split that fits NRAM, and the smallest of all."""
    best = smallest = None
    for number, tile_w in enumerate(_widths(c.out_w, pack[1])):
        if tile_w // pack[1] > FIELD:
            continue
        if best is not None and number > 2 and c.out_h >= split.crew * pack[0]:
            break  # still narrower tiles help only where there are too few rows
        for tile_h in _heights(c.out_h, pack[0]):
            if tile_h // pack[0] > FIELD:
                break
            tiling = _tile(c, pack, split, tile_h, tile_w, stats, machine)
            smallest = tiling if smallest is None else min(smallest, tiling, key=lambda t: t.nram)
            if tiling.nram > usable(machine):
                continue  # a larger one may need no second buffers
            if best is None or tiling.cost < best.cost:
                best = tiling
    return best, smallest


def plan(c: Convolution, pack: Pack, machine: Machine, *, activation: str,
         stats: bool) -> tuple[LaunchPlan, int]:  # fmt: skip
    """The launch plan, and how many tasks make channel sums; an impossible machine is an error.

    `pack` is the block of pixels that shares the matrix unit, as `pack_filter` was given it.
    """
    _check_fields(c, pack)
    best = smallest = None
    for split in _splits(c, pack, stats, machine):
        found, least = _best(c, pack, split, stats, machine)
        if found and (best is None or found.cost < best.cost):
            best = found
        if least and (smallest is None or least.nram < smallest.nram):
            smallest = least
    if best is None and smallest is None:
        bank = weight_bytes(taps_of(c, pack), 1, c.types.in_size)
        raise no_room("conv2d", str(c), "WRAM", bank, machine.wram.size, machine)
    if best is None:
        assert smallest is not None
        raise no_room("conv2d", str(c), "NRAM", smallest.nram, usable(machine), machine)
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
        "filter_bytes": weight_bytes(taps_of(c, pack), pack[0] * pack[1] * c.co, c.types.in_size),
        "part": best.split.part,
        "part_bytes": best.split.part_bytes,
        "buffers": best.split.buffers,
        "ways": best.split.ways,
        "tile_h": best.tile_h,
        "tile_w": best.tile_w,
        **best.args,
    }
    return _tasks(best, args, machine), min(best.split.crew, best.tiles)


def _tasks(best: _Tiling, args: dict[str, int | float], machine: Machine) -> LaunchPlan:
    """No more tasks than there are tiles for, whole clusters where they share weights."""
    split = best.split
    used = min(split.teams // split.ways, ceil_div(best.tiles, split.lanes)) * split.ways
    if split.together:
        return on_clusters(args, used, machine)
    return LaunchPlan(args, used)
