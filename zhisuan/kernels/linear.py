"""Launch plan of linear.bcl: pieces of the weights that fit half of WRAM, and their packing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.matrix import WRAM_BANKS, WRAM_LINE, pack_weights, weight_bytes
from zhisuan.kernels.arena import Arena, aligned, no_room
from zhisuan.kernels.element_types import ElementTypes
from zhisuan.kernels.launch_plan import Args, LaunchPlan, on_cores
from zhisuan.kernels.tile import ACTIVATIONS, FLOAT


@dataclass(frozen=True)
class Pieces:
    """How the [n, k] weights are cut: `chunk` inputs × `block` outputs, `size` bytes each; the
    pieces of a block lie together, blocks `apart` bytes from each other."""

    chunk: int
    block: int
    size: int
    apart: int


def pieces(k: int, n: int, types: ElementTypes, machine: Machine) -> Pieces:
    """Pieces that fit half of WRAM: one bank group of outputs, then more if all inputs fit and
    every core keeps some."""
    half = machine.wram.size // 2
    per_line = WRAM_LINE // types.in_size
    column = WRAM_BANKS * WRAM_LINE  # one line of inputs for a group of outputs
    lines = half // column
    if lines < 1:
        raise no_room("linear", f"{k} inputs, {n} outputs", "WRAM", 2 * column,
                      machine.wram.size, machine)  # fmt: skip
    whole = ceil_div(k, per_line)
    chunk = ceil_div(whole, ceil_div(whole, lines)) * per_line  # equal ones: no padding
    fitting = max(1, half // weight_bytes(chunk, WRAM_BANKS, types.in_size))
    groups = min(fitting, ceil_div(ceil_div(n, WRAM_BANKS), machine.cores))
    block = groups * WRAM_BANKS if chunk >= k else WRAM_BANKS
    size = int(weight_bytes(chunk, block, types.in_size))
    return Pieces(chunk, block, size, _apart(ceil_div(k, chunk) * size, machine))


def _apart(size: int, machine: Machine) -> int:
    """`size` and a bit, so that cores that stream blocks side by side open rows of DRAM in
    different banks."""
    rows = machine.channels.count * machine.channels.row_bytes if machine.channels else 0
    return size + rows if machine.cores > 1 else size


def pack(weights: np.ndarray, cut: Pieces) -> np.ndarray:
    """[n, k] weights → the pieces in the order of the blocks, as they lie in DRAM."""
    n, k = weights.shape
    packed = np.zeros((ceil_div(n, cut.block), cut.apart), np.uint8)
    for block, first in zip(packed, range(0, n, cut.block), strict=True):
        for number, start in enumerate(range(0, k, cut.chunk)):
            part = weights[first : first + cut.block, start : start + cut.chunk]
            piece = pack_weights(np.ascontiguousarray(part.T))
            block[number * cut.size :][: len(piece)] = piece
    return packed.reshape(-1)


def plan(rows: int, k: int, n: int, cut: Pieces, types: ElementTypes, machine: Machine, *,
         activation: str) -> LaunchPlan:  # fmt: skip
    """The launch plan; a machine whose NRAM is too small is an error."""
    acc_bytes = aligned(rows * cut.block * FLOAT)
    out_bytes = aligned(rows * cut.block * types.out_size)
    arena = Arena(machine)
    args: Args = {
        "types": types.number,
        "rows": rows,
        "k": k,
        "n": n,
        "chunk": cut.chunk,
        "block": cut.block,
        "piece_bytes": cut.size,
        "block_bytes": cut.apart,
        "activation": ACTIVATIONS.index(activation),
        "x_offset": arena.take(rows * k * types.in_size),
        "acc_offset": arena.take(2 * acc_bytes),
        "acc_bytes": acc_bytes,
        "out_offset": arena.take(2 * out_bytes),
        "out_bytes": out_bytes,
        "vector_offset": arena.take(2 * cut.block * FLOAT),
    }
    if not arena.fits:
        what = f"{rows} rows of {k} inputs, {n} outputs"
        raise no_room("linear", what, "NRAM", arena.used, arena.limit, machine)
    return on_cores(args, ceil_div(n, cut.block), machine)
