"""Ways to build the matrix unit, compared; `python -m benchmarks.matrix_units` writes the page.

Comes in: nothing.  Goes out: two tables.  One convolves with pruned weights on a machine that skips
zeros and on one that does not; the other times layers on an adder-tree unit and on a systolic
array of as many multipliers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.anchors.stream import Stream, busy
from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.base.files import write_atomically
from zhisuan.isa.matrix import weights_noted
from zhisuan.sim.energy import energy
from zhisuan.sim.timing import Timing, replay

PAGE = Path(__file__).parent.parent / "docs" / "matrix-units.md"
DENSE = load("dlp-s")
SKIPPING = vary(DENSE, {"sparsity.skip": "weights"})
ELEMENTS, ROWS = DENSE.matrix.elements, DENSE.matrix.lanes_i8
SYSTOLIC = vary(
    DENSE,
    {
        "matrix.kind": "systolic",
        "matrix.shift_cycles": ROWS,
        "matrix.latency": ROWS + ELEMENTS,
    },
)
PRUNED = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
"""Percent of the weights that are zero."""


@dataclass(frozen=True)
class Layer:
    """Output pixels (height, width), kernel, channels; `times` of them one after the other."""

    name: str
    pixels: tuple[int, int]
    kernel: tuple[int, int]
    inputs: int
    outputs: int
    times: int = 1

    @property
    def macs(self) -> int:
        height, width = self.pixels
        taps = self.kernel[0] * self.kernel[1] * self.inputs
        return self.times * height * width * taps * self.outputs


PRUNED_LAYER = Layer("3 × 3", (14, 28), (3, 3), 128, 128)
LAYERS = (
    Layer("3 × 3, 3 → 64 (VGG16's first)", (28, 28), (3, 3), 3, 64),
    Layer("3 × 3, 64 → 64", (28, 28), (3, 3), 64, 64),
    Layer("3 × 3, 512 → 512 on 14 × 14", (14, 14), (3, 3), 512, 512),
    Layer("1 × 1, 256 → 64", (14, 14), (1, 1), 256, 64),
    Layer("3 × 3, 8 → 8", (28, 28), (3, 3), 8, 8),
    Layer("depthwise 3 × 3, 64 channels one by one", (28, 28), (3, 3), 1, 1, 64),
    Layer("fully connected, 4096 → 4096, batch 1", (1, 1), (1, 1), 4096, 4096),
    Layer("fully connected, 4096 → 4096, batch 16", (1, 16), (1, 1), 4096, 4096),
    Layer("fully connected, 4096 → 4096, batch 256", (1, 256), (1, 1), 4096, 4096),
)


def stream(layer: Layer, mode: str, noted: tuple[int, int] = (0, 0)) -> Stream:
    """The layer's convolutions alone: no loads, so that only the unit differs."""
    out = Stream()
    for _ in range(layer.times):
        out.convolution(mode, layer.pixels, layer.kernel, layer.inputs, layer.outputs, noted=noted)
    return out


def spent(work: Stream, machine: Machine) -> tuple[Timing, dict[str, int]]:
    """Timing, and femtojoules by part without static power."""
    trace = work.trace()
    timing = replay(trace, machine)
    parts = energy(trace, timing, machine).by_part()
    return timing, {part: value for part, value in parts.items() if part != "static"}


def pruned_weights(percent: int) -> np.ndarray:
    """[taps, channels]: seeded normal weights, the smallest `percent` of them zero."""
    layer = PRUNED_LAYER
    taps = layer.kernel[0] * layer.kernel[1] * layer.inputs
    weights = np.random.default_rng(16).normal(0, 1, (taps, layer.outputs))
    smallest = np.argsort(np.abs(weights), axis=None)[: weights.size * percent // 100]
    weights.reshape(-1)[smallest] = 0
    return weights


def sparsity_table() -> str:
    lines = [
        "| zero weights | of the slowest channel's, not zero | cycles, every weight "
        "| cycles, skipping | speed | energy | WRAM bytes with indices |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    bits = 16 + SKIPPING.sparsity.index_bits
    for percent in PRUNED:
        weights = pruned_weights(percent)
        noted = weights_noted(weights)
        groups = -(-PRUNED_LAYER.outputs // 64)
        work = stream(PRUNED_LAYER, "f16.f32", noted)
        plain, plain_parts = spent(work, DENSE)
        skipping, parts = spent(work, SKIPPING)
        before, after = busy(plain, "mfu"), busy(skipping, "mfu")
        gain = sum(plain_parts.values()) / sum(parts.values())
        lines.append(
            f"| {percent} % | {noted[0] / groups / len(weights):.1%} | {before:,} | {after:,} "
            f"| {before / after:.2f} × | 1 / {gain:.2f} | {noted[1] * bits // 8:,} "
            f"of {weights.size * 2:,} |"
        )
    return "\n".join(lines)


def units_table() -> str:
    lines = [
        "| layer, INT8 | MMAC | adder tree, cycles | in use | systolic, cycles | in use "
        "| systolic / adder tree, cycles | energy |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for layer in LAYERS:
        work = stream(layer, "i8.i32")
        tree, tree_parts = spent(work, DENSE)
        array, array_parts = spent(work, SYSTOLIC)
        first, second = (found.total - DENSE.launch.overhead for found in (tree, array))
        peak = ELEMENTS * ROWS
        ratio = sum(array_parts.values()) / sum(tree_parts.values())
        lines.append(
            f"| {layer.name} | {layer.macs / 1e6:.2f} | {first:,} "
            f"| {layer.macs / first / peak:.1%} | {second:,} | {layer.macs / second / peak:.1%} "
            f"| {second / first:.2f} | {ratio:.2f} |"
        )
    return "\n".join(lines)


def parts_table() -> str:
    """Femtojoules of a multiply-accumulate by part, both units."""
    layer = LAYERS[2]
    found = [spent(stream(layer, "i8.i32"), machine)[1] for machine in (DENSE, SYSTOLIC)]
    names = [name for name in found[1] if found[1][name] > layer.macs]  # a femtojoule and more
    lines = ["| fJ | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for title, parts in zip(("adder tree", "systolic"), found, strict=True):
        cells = [f"{parts.get(name, 0) / layer.macs:.0f}" for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page() -> str:
    layer, sparsity = PRUNED_LAYER, SKIPPING.sparsity
    return f"""# Matrix units

Written by `python -m benchmarks.matrix_units`. Both tables time convolutions alone, as if weights and
neurons of any size were on the chip, on `dlp-s` and variants of it. Energy is without static power.

## Skipping zero weights

`sparsity.skip = "weights"`: an element multiplies only weights that are not zero, each with a step
index of {sparsity.index_bits} bits that picks its neuron from {sparsity.window} side by side, as Cambricon-X does. Elements
of a group of 64 channels go on together, so the slowest channel sets the pace; the window bounds it
too. Values do not change: traces count the weights that are not zero.

One layer, {layer.name}, {layer.inputs} → {layer.outputs} channels, {layer.pixels[0]} × {layer.pixels[1]} pixels, FP16, {DENSE.matrix.lanes_f16} multipliers in each of
{ELEMENTS} elements; weights are normal numbers of which the smallest are pruned.

{sparsity_table()}

Cambricon-X states 7.23 times the speed and 6.43 times less energy than an accelerator without it
on whole networks (recalled). Ours is another machine and layer, and idealised in its favour:

- Random pruning balances the channels; trained networks are less even.
- The weights in WRAM and DRAM stay as they are. The last column says what they would take with
  indices; loading fewer bytes is not modelled, nor is selecting neurons: it costs no energy here.
- Zero neurons are multiplied.

## Adder trees and a systolic array

`matrix.kind = "systolic"`: {ROWS} × {ELEMENTS} scalar multipliers, as many as the {ELEMENTS} elements of {ROWS} lanes have. A tile
of {ROWS} × {ELEMENTS} weights stays while pixels stream past; the next tile shifts in behind it in {ROWS} cycles, a
first one before; sums leave {ROWS + ELEMENTS} cycles after their neurons came in.

{units_table()}

In cycles the array wins nothing: it adds the first tile, filling and draining to every instruction,
and waits for weights where a tile has fewer pixels than rows, worst in a fully connected layer of
one picture. Few channels leave both idle alike.

In energy it does not win here either. In the layer 512 → 512, per multiply-accumulate:

{parts_table()}

It reads a weight from WRAM once for all pixels, but a bank that gives lines of 64 bytes gives a
weight cheaply, and every multiplier writes a neuron and a sum of 32 bits each cycle. That costs
what Eyeriss states for its register files; the registers of a pipeline are smaller, so the
array's figure is an upper bound. Wires, and the higher clock of short paths, are not modelled.
"""  # noqa: E501


if __name__ == "__main__":
    write_atomically(PAGE, page())
    print(page())
