"""Energy of matrix instructions by part, for each way of building the unit.

Comes in: trace rows of one instruction and their cycles.  Goes out: femtojoules of these rows by
part; results that leave the unit are the caller's.  What is counted:

- adder tree: every multiplier for every busy cycle, a weight from the bank for each, and the
  neurons of a cycle once for all elements.
- adder tree that skips weights, in CONV: multiplications by weights that are not zero; each with
  its index from the bank; and all neurons under a pixel once for a group of channels.
- systolic: every multiplier while neurons stream through a tile; a tile's weights once; a
  row's neurons once; a register for neuron and sum at every multiplier; sums of one tile that
  the next one adds to, written and read.  Instructions other than CONV, MMV and VMM count as
  on an adder tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zhisuan.arch import technology as tech
from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.element import BITS
from zhisuan.isa.matrix import WRAM_BANKS, quarter
from zhisuan.isa.registry import Instruction, Operands
from zhisuan.isa.transfer import high_half, low_half

SUM_BITS = 32


@dataclass(frozen=True)
class Rates:
    """Femtojoules of a byte of NRAM and WRAM at `node_nm`."""

    node_nm: int
    nram: int
    wram: int


@dataclass(frozen=True)
class Product:
    """A convolution: output pixels, kernel positions, input and output channels."""

    pixels: Any
    positions: Any
    inputs: Any
    outputs: Any

    @property
    def macs(self) -> Any:
        return self.pixels * self.positions * self.inputs * self.outputs


def matrix_energy(
    machine: Machine, row: Instruction, o: Operands, cycles: np.ndarray, rates: Rates
) -> dict[str, np.ndarray]:
    """Femtojoules of rows by part."""
    kind = o.mode.split(".")[0]
    found = product(row, o)
    if machine.skips_weights and row.name == "CONV":
        assert found is not None
        return _skipping(machine, kind, found, o.nonzero, rates)
    if machine.matrix.kind == "systolic" and found is not None:
        return _systolic(machine, kind, found, rates)
    lanes = machine.lanes(kind)
    macs = cycles * machine.matrix.elements * lanes
    return {
        f"MAC {kind}": macs * tech.multiply_add(kind, rates.node_nm),
        "WRAM": macs * BITS[kind] // 8 * rates.wram,
        "NRAM": cycles * lanes * BITS[kind] // 8 * rates.nram,
    }


def product(row: Instruction, o: Operands) -> Product | None:
    """What a matrix instruction multiplies; None where it is no convolution or matrix × vector."""
    if row.name == "CONV":
        pixels, positions = (quarter(o.geometry, i) * quarter(o.geometry, i + 1) for i in (0, 2))
        return Product(pixels, positions, low_half(o.channels), high_half(o.channels))
    if row.name in ("MMV", "VMM"):
        return Product(1, 1, o.n, o.m)
    return None


def _skipping(
    machine: Machine, kind: str, p: Product, nonzero: np.ndarray, rates: Rates
) -> dict[str, np.ndarray]:
    macs = p.pixels * nonzero
    neurons = p.pixels * p.positions * p.inputs * ceil_div(p.outputs, WRAM_BANKS)
    stored = BITS[kind] + machine.sparsity.index_bits
    return {
        f"MAC {kind}": macs * tech.multiply_add(kind, rates.node_nm),
        "WRAM": macs * stored // 8 * rates.wram,
        "NRAM": neurons * BITS[kind] // 8 * rates.nram,
    }


def _systolic(machine: Machine, kind: str, p: Product, rates: Rates) -> dict[str, np.ndarray]:
    lanes, elements = machine.lanes(kind), machine.matrix.elements
    tiles = machine.matrix_tiles(kind, p.positions, p.inputs, p.outputs)
    streamed = p.pixels * tiles
    macs = streamed * lanes * elements
    after_the_first = tiles - ceil_div(p.outputs, elements)
    sums = 2 * p.pixels * after_the_first * elements * SUM_BITS // 8
    register = tech.operation("register", rates.node_nm)
    return {
        f"MAC {kind}": macs * tech.multiply_add(kind, rates.node_nm),
        "registers": macs * (BITS[kind] + SUM_BITS) // 16 * register,
        "WRAM": tiles * lanes * elements * BITS[kind] // 8 * rates.wram,
        "NRAM": (streamed * lanes * BITS[kind] // 8 + sums) * rates.nram,
    }
