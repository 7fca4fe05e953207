"""DianNao's ideal layers and DaDianNao's fully connected layer."""

from __future__ import annotations

from benchmarks.anchors import Anchor, Answer
from benchmarks.anchors.stream import NRAM, Stream, busy
from zhisuan.arch.load import load

CONVOLUTIONS = {
    "CONV1": ((375, 500), (9, 9), 32, 48, 87_754_104),
    "CONV3": ((32, 32), (4, 4), 108, 200, 1_224_496),
    "CONV4": ((32, 32), (7, 7), 16, 512, 1_059_968),
}
"""Layer → input size, kernel, input channels, output channels, ideal cycles."""
CLASSIFIERS = {"CLASS1": (960, 20, 120), "CLASS3": (200, 100, 91)}
"""Layer → inputs, outputs, ideal cycles."""
MODE = "i16.i32"


def convolution(size: tuple[int, int], kernel: tuple[int, int], inputs: int,
                outputs: int) -> Stream:  # fmt: skip
    """Row by row of the output, for as many output channels as there are elements."""
    stream = Stream()
    elements = load("diannao").matrix.elements
    rows, columns = (size[axis] - kernel[axis] + 1 for axis in (0, 1))
    for first in range(0, outputs, elements):
        for _ in range(rows):
            stream.convolution(MODE, (1, columns), kernel, inputs, min(elements, outputs - first))
    return stream


def diannao() -> Anchor:
    machine = load("diannao")
    answers = []
    for name, (size, kernel, inputs, outputs, ideal) in CONVOLUTIONS.items():
        timing = convolution(size, kernel, inputs, outputs).timing(machine)
        answers.append(Answer(name, ideal, "cycles", "D", busy(timing, "mfu"), bound=0))
    for name, (inputs, outputs, ideal) in CLASSIFIERS.items():
        stream = Stream()
        stream.product(MODE, 1, inputs, outputs)
        timing = stream.timing(machine)
        answers.append(Answer(name, ideal, "cycles", "D", busy(timing, "mfu"), bound=0))
    return Anchor(
        "DianNao, ideal cycles on 16 × 16 at stride 1",
        "Busy cycles of the matrix unit of `diannao`: CONV instructions for a row of outputs and "
        "16 output channels each. Loads are left out, as in the ideal figures. CONV2 has private "
        "kernels and no published figure; the pooling layers have none either.",
        tuple(answers),
    )


FRAMES = 16


def dadiannao() -> Anchor:
    machine = load("dadiannao")
    outputs = 4096 // machine.cores
    stream = Stream()
    for frame in range(FRAMES):
        to = NRAM.base + 8192 + frame % 2 * outputs * 4
        stream.product(MODE, 1, 4096, outputs, to=to)
    cycles = stream.timing(machine).total / FRAMES
    return Anchor(
        "DaDianNao, AlexNet FC7",
        f"One tile of `dadiannao` computes {outputs} of the 4096 outputs, as all {machine.cores} "
        f"do at the same time; {FRAMES} inputs follow one another. The weights lie in the tiles; "
        "the inputs come from the centre while the product runs.",
        (
            Answer("FC7", 147_938, "frames/s", "F", machine.clock_hz / cycles, bound=0.02),
            Answer("4096 × 4096", 4096, "cycles", "F", cycles, bound=0.02),
        ),
    )
