"""How a convolution is shared out and cut into tiles: the cheapest way that fits the memories.

In: a convolution, a machine.  Out: a `Tiling`.  All tiles of a split are weighed at once, as
arrays, because a sweep plans for a thousand machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.matrix import WRAM_BANKS, weight_bytes
from zhisuan.kernels.arena import Arena, aligned, usable
from zhisuan.kernels.convolution import FIELD, Convolution, Pack, matrix_cycles, taps_of
from zhisuan.kernels.launch_plan import shares_weights
from zhisuan.kernels.tile import FLOAT

SYNC_COST = 100
"""Cycles a pipeline step loses to latencies at its SYNC; only ranks tile sizes."""
NEVER = 1 << 62
"""Bytes that no memory has."""
WIDTHS = 3
"""Widths to try where rows suffice for all tasks; narrower tiles load more margins."""


@dataclass(frozen=True)
class Split:
    """How the work is shared out: `teams` (clusters that share weights, or single cores) of
    `lanes` tasks.

    Each of `ways` groups of teams makes every `ways`-th part of `part` output channels; the
    `crew` of tasks in such a group share the tiles.  A part comes in `slices` of the input
    channels, pieces of `piece_bytes` of the filter, of which `buffers` fit WRAM; with several
    slices no task may have more than one tile.
    """

    together: bool
    teams: int
    lanes: int
    ways: int
    part: int
    slices: int
    piece_bytes: int
    buffers: int

    @property
    def crew(self) -> int:
        return self.teams // self.ways * self.lanes


def splits(c: Convolution, pack: Pack, stats: bool, machine: Machine) -> Iterator[Split]:
    """Ways to share out the work; with channel sums every task makes all channels, if it can."""
    if shares_weights(machine):
        teams = machine.chip.clusters, machine.chip.cores_per_cluster
        room = min(machine.wram.size, machine.sram.size - machine.sram.stack)
        yield from _splits_among(True, *teams, room, c, pack, stats)
    yield from _splits_among(False, machine.cores, 1, machine.wram.size, c, pack, stats)


def _splits_among(together: bool, teams: int, lanes: int, room: int, c: Convolution, pack: Pack,
                  stats: bool) -> Iterator[Split]:  # fmt: skip
    """Splits whose parts fit `room` bytes."""
    block = pack[0] * pack[1]
    size = c.types.in_size
    whole = weight_bytes(taps_of(c, pack), block * c.co, size)
    if whole <= room:
        yield Split(together, teams, lanes, 1, c.co, 1, whole, 1)
    if block > 1 or (stats and whole <= room):
        return
    bank = weight_bytes(taps_of(c, pack), 1, size)
    if bank > room:
        yield from _sliced(together, teams, lanes, room, c)
        return
    for ways in (n for n in range(1, teams + 1) if teams % n == 0):
        most = min(room // bank, ceil_div(ceil_div(c.co, ways), WRAM_BANKS))
        for groups in {most, min(most, room // 2 // bank)} - {0}:
            part = min(groups * WRAM_BANKS, c.co)
            held = 2 if 2 * groups * bank <= room and part < c.co else 1
            if (ways, part) != (1, c.co):
                yield Split(together, teams, lanes, ways, part, 1, groups * bank, held)


def _sliced(together: bool, teams: int, lanes: int, room: int, c: Convolution) -> Iterator[Split]:
    """Splits whose parts, of 64 output channels, come in the fewest slices that fit."""
    taps = taps_of(c, (1, 1))
    for slices in (n for n in range(2, c.ci + 1) if c.ci % n == 0):
        bank = weight_bytes(taps // slices, 1, c.types.in_size)
        if bank <= room:
            part, held = min(WRAM_BANKS, c.co), 2 if 2 * bank <= room else 1
            for ways in (n for n in range(1, teams + 1) if teams % n == 0):
                yield Split(together, teams, lanes, ways, part, slices, bank, held)
            return


@dataclass(frozen=True)
class Tiling:
    """A split and a tile of the output; `tiles` of them, which take `nram` bytes of a core."""

    split: Split
    tile_h: int
    tile_w: int
    tiles: int
    cost: int
    nram: int


@dataclass(frozen=True)
class _Tiles:
    """What tiles of rows × columns (ints, or arrays of them) take and move, in bytes."""

    tiles: Any
    turns: Any  # tiles of the busiest task
    groups: Any  # steps of the matrix unit
    loaded: Any
    in_pitch: Any
    in_bytes: Any
    acc_bytes: Any
    out_bytes: Any
    vector_bytes: int
    zero_bytes: Any

    @property
    def buffers(self) -> Any:
        """Of each tile: a single one needs no second."""
        return np.where(self.turns > 1, 2, 1)

    @property
    def nram(self) -> Any:
        """Bytes of the arena."""
        tile = self.in_bytes + self.acc_bytes + self.out_bytes
        return self.buffers * tile + aligned(self.vector_bytes) + aligned(self.zero_bytes)


def _tiles(c: Convolution, pack: Pack, split: Split, tile_h: Any, tile_w: Any) -> _Tiles:
    groups_h, groups_w = ceil_div(tile_h, pack[0]), ceil_div(tile_w, pack[1])
    results = groups_h * groups_w * (pack[0] * pack[1] * split.part)
    rows = (tile_h - 1) * c.stride_h + (c.kernel_h - 1) * c.dilation_h + 1
    columns = (groups_w * pack[1] - 1) * c.stride_w + (c.kernel_w - 1) * c.dilation_w + 1
    pixel = c.ci // split.slices * c.types.in_size
    tiles = ceil_div(c.out_h, tile_h) * ceil_div(c.out_w, tile_w)
    return _Tiles(
        tiles=tiles,
        turns=ceil_div(tiles, split.crew),
        groups=groups_h * groups_w,
        loaded=rows * np.minimum(columns, c.width) * pixel,
        in_pitch=columns * pixel,
        in_bytes=aligned(rows * columns * pixel),
        acc_bytes=aligned(results * FLOAT),
        out_bytes=aligned(results * c.types.out_size),
        vector_bytes=7 * split.part * FLOAT,
        zero_bytes=columns * pixel if c.pad_mode == "constant" else 0 * columns,
    )


def _cost(c: Convolution, pack: Pack, split: Split, tile_h: Any, tile_w: Any, stats: bool,
          machine: Machine) -> Any:  # fmt: skip
    """What ranks tilings: the cycles of the slower of a core and the DRAM that all share, and half
    of the other's, because they overlap only in part.

    Where channel sums are made, and would round otherwise in other tiles, all DRAM counts as fast
    as a core's on-chip moves: its rate must not change a value.
    """
    t = _tiles(c, pack, split, tile_h, tile_w)
    channels = pack[0] * pack[1] * split.part
    rows = (tile_h - 1) * c.stride_h + (c.kernel_h - 1) * c.dilation_h + 1
    load = machine.transfer_cycles("none", t.loaded // rows, rows)
    compute = matrix_cycles(c, pack, t.groups, channels, machine) // split.slices
    finish = (3 if stats else 1) * machine.vector_cycles(t.groups * channels * FLOAT)
    pieces = tile_h if pack[0] == 1 else tile_h * ceil_div(tile_w, pack[1])
    stored = tile_h * tile_w * split.part * c.types.out_size
    store = machine.transfer_cycles("none", stored // pieces, pieces)
    step = np.maximum(np.maximum(compute, finish), load + store) + SYNC_COST
    parts = ceil_div(ceil_div(c.co, split.part), split.ways)
    fetch = 0 if split.buffers == 2 else split.piece_bytes // machine.move.bytes_per_cycle
    pieces_each = parts * split.slices
    cycles = pieces_each * (fetch + load + t.turns * step + finish + store + 3 * SYNC_COST)
    again = np.where((t.turns == 1) & (split.slices == 1), 1, pieces_each)
    loads = split.ways * t.tiles * again * t.loaded
    rest = c.out_h * c.out_w * c.co * c.types.out_size
    rest += pieces_each * split.piece_bytes * split.teams
    rate = machine.move.bytes_per_cycle if stats else machine.dram_bytes_per_cycle
    moved = ((loads + rest) / rate).astype(np.int64)
    alone = np.where(t.turns == 1, (loads / rate).astype(np.int64), 0)  # nothing to compute yet
    return np.maximum(cycles, moved) + np.minimum(cycles, moved) // 2 + alone


def best_tiling(c: Convolution, pack: Pack, split: Split, stats: bool,
                machine: Machine) -> tuple[Tiling | None, int]:  # fmt: skip
    """The cheapest tiling of a split that fits NRAM, and the bytes of the smallest tried."""
    widths = [width for width in _widths(c.out_w, pack[1]) if width // pack[1] <= FIELD]
    heights = [height for height in _heights(c.out_h, pack[0]) if height // pack[0] <= FIELD]
    at_once = WIDTHS if c.out_h >= split.crew * pack[0] else len(widths)
    tries = [widths[:at_once], *([width] for width in widths[at_once:])]
    smallest = NEVER
    for some in tries:
        tile_h, tile_w = np.array(heights)[None, :], np.array(some)[:, None]
        tried = _tiles(c, pack, split, tile_h, tile_w)
        nram = np.where((split.slices == 1) | (tried.turns == 1), tried.nram, NEVER)
        smallest = min(smallest, int(nram.min()))
        if smallest > usable(machine):
            continue
        cost = _cost(c, pack, split, tile_h, tile_w, stats, machine)
        place = int(np.where(nram <= usable(machine), cost, np.iinfo(np.int64).max).argmin())
        i, j = divmod(place, len(heights))
        tiles = _tiles(c, pack, split, heights[j], some[i]).tiles
        return Tiling(split, heights[j], some[i], tiles, int(cost[i, j]), int(nram[i, j])), smallest
    return None, smallest


def arena_args(c: Convolution, pack: Pack, tiling: Tiling, machine: Machine) -> dict[str, int]:
    """Where the tiles lie in NRAM."""
    t = _tiles(c, pack, tiling.split, tiling.tile_h, tiling.tile_w)
    buffers = int(t.buffers)
    arena = Arena(machine)
    return {
        "in_pitch": t.in_pitch,
        "in_offset": arena.take(buffers * t.in_bytes),
        "in_bytes": t.in_bytes,
        "acc_offset": arena.take(buffers * t.acc_bytes),
        "acc_bytes": t.acc_bytes,
        "out_offset": arena.take(buffers * t.out_bytes),
        "out_bytes": t.out_bytes,
        "vector_offset": arena.take(t.vector_bytes),
        "zero_offset": arena.take(t.zero_bytes),
        "zero_bytes": t.zero_bytes,
    }


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
