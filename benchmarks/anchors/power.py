"""Power and area of published chips, and the technology tables against a third one."""

from __future__ import annotations

from benchmarks.anchors import Anchor, Answer
from benchmarks.anchors import diannao as layers
from benchmarks.anchors.stream import NRAM, Stream
from zhisuan.arch.area import area
from zhisuan.arch.load import load
from zhisuan.arch.technology import memory_byte, multiply_add
from zhisuan.sim.energy import energy
from zhisuan.sim.timing import replay

EYERISS_BUFFER = 108 << 10
OFF_CHIP = ("DRAM",)


def watts(stream: Stream, name: str) -> float:
    """Mean power of all cores of a preset, each running `stream`, without DRAM."""
    machine = load(name)
    trace = stream.trace()
    timing = replay(trace, machine)
    spent = energy(trace, timing, machine).by_part()
    femtojoules = sum(amount for part, amount in spent.items() if part not in OFF_CHIP)
    return machine.cores * femtojoules * 1e-15 * machine.clock_hz / timing.total


def _products(mode: str, inputs: int, outputs: int) -> Stream:
    stream = Stream()
    for turn in range(64):
        stream.product(mode, 1, inputs, outputs, to=NRAM.base + 8192 + turn % 8 * 4 * outputs)
    return stream


def power() -> Anchor:
    convolution = layers.convolution(*layers.CONVOLUTIONS["CONV1"][:4])
    answers = (
        Answer("DianNao, CONV1", 485, "mW", "F", 1e3 * watts(convolution, "diannao"),
               "an access of 2 KB costs as much as one of 8 KB, the smallest of the tables, and "
               "512 B of weights are read in every cycle"),
        Answer("DaDianNao, FC7", 15.97, "W", "F",
               watts(_products("i16.i32", 4096, 256), "dadiannao"),
               "the published figure is the peak of the node with its links; ours has no links, "
               "and prices eDRAM as SRAM"),
        Answer("Cambricon, products", 1.695, "W", "F",
               watts(_products("i16.i32", 1024, 32), "cambricon"),
               "ours is the matrix unit at its peak, which the published figure need not be: an "
               "eighth of the instructions of its programs use it"),
    )  # fmt: skip
    return Anchor(
        "Power",
        "Energy of the trace over the time of its replay, without DRAM. The tables are for 45 and "
        "7 nm; other nodes lie on the log-log line through them (arch/technology.toml). One "
        "coefficient was chosen on these rows: that a memory access costs as the square root of "
        "its width. Powers are to be believed within a factor of two, no better.",
        answers,
    )


def tables() -> Anchor:
    answers = (
        Answer("MAC of 16 bit", 2, "pJ", "F", multiply_add("i16", 65) / 1e3,
               "Eyeriss counts its array's wires and pipeline registers into the MAC"),
        Answer("16 bit of a buffer of 108 KB", 15, "pJ", "F",
               2 * memory_byte(EYERISS_BUFFER, 65) / 1e3,
               "ours is the SRAM alone, without the network between buffer and array"),
    )  # fmt: skip
    return Anchor(
        "Technology tables at 65 nm against Eyeriss",
        "The two tables carried on to 65 nm, beside the 65 nm fit that they do not contain.",
        answers,
    )


def areas() -> Anchor:
    answers = (
        Answer("DianNao", 3.02, "mm²", "F", sum(area(load("diannao")).values()),
               "its buffers of 36 KB take 2 mm² (recalled), more than all of ours: wide ports, "
               "which ours does not count"),
        Answer("DaDianNao node", 67.7, "mm²", "F", sum(area(load("dadiannao")).values()),
               "36 MB of eDRAM are priced as SRAM, of about three times the area"),
        Answer("Cambricon", 56.24, "mm²", "F", sum(area(load("cambricon")).values()),
               "ours has no instruction supply to speak of, and DianNao's share for registers, "
               "clock and filler; what else fills the published layout we do not know"),
    )  # fmt: skip
    return Anchor(
        "Area",
        "Multipliers and memory cells at the node, a share for registers, clock and filler. Good "
        "for comparing variants of a machine, not for floor plans.",
        answers,
    )


def peak() -> Anchor:
    machine = load("diannao")
    lanes, elements = machine.matrix.lanes_i16, machine.matrix.elements
    operations = elements * lanes + elements * (lanes - 1)
    return Anchor(
        "DianNao, peak",
        "Multipliers and adders of the adder trees of `diannao` times its clock; G is 2³⁰ here.",
        (
            Answer("operations", 452, "2³⁰/s", "F", operations * machine.clock_hz / 2**30,
                   bound=0.01),
        ),
    )  # fmt: skip
