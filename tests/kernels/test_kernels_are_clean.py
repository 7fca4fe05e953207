"""Every kernel of the library passes all checks: its queues are ordered, it reads what was
written and stays in its buffers; and racecheck notices every SYNC that is taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph
from zhisuan.isa.program import Program
from zhisuan.isa.table import BY_NAME
from zhisuan.kernels import library
from zhisuan.lower import Lowered, lower
from zhisuan.runtime.device import play
from zhisuan.sim.checks.run import CHECKS

ROOMY = load("dlp-s")
TIGHT = vary(ROOMY, {"nram.stack": 16 << 10, "nram.size": (16 + 14) << 10})
"""Little NRAM: many tiles, in both directions."""
NARROW = vary(TIGHT, {"wram.size": 5 * 4096})
"""Little WRAM as well: convolutions and products in several parts or blocks."""
CORES = vary(TIGHT, {"chip.cores_per_cluster": 3})
"""Cores that share nothing but DRAM."""
CLUSTERS = vary(load("mlu270"), {
    "nram.stack": 16 << 10, "nram.size": (16 + 14) << 10, "wram.size": 5 * 4096,
    "sram.stack": 16 << 10, "sram.size": (16 + 20) << 10, "chip.clusters": 2,
    "chip.cores_per_cluster": 2,
})  # fmt: skip
"""Clusters whose memory cores hand out filters in small parts."""
MACHINES = {"roomy": ROOMY, "tight": TIGHT, "narrow": NARROW, "cores": CORES, "clusters": CLUSTERS}


def image(c: int, h: int, w: int, inputs: int = 1) -> GraphBuilder:
    """A graph with inputs x0, x1, … of one shape."""
    build = GraphBuilder("one")
    for index in range(inputs):
        build.input(f"x{index}", F32, (1, c, h, w))
    return build


def convolution(x: tuple[int, int, int], co: int, kernel: tuple[int, int], norm: bool = False,
                bias: bool = False, **attrs: Any) -> Graph:  # fmt: skip
    build = image(*x)
    names = ["x0", build.constant("w", np.ones((co, x[0], *kernel), np.float32))]
    if bias:
        names.append(build.constant("b", np.ones(co, np.float32)))
    y = build.node("conv2d", names, attrs, label="conv")
    return build.finish([normalised(build, y, co) if norm else y])


def normalised(build: GraphBuilder, x: str, c: int, residual: str = "", **attrs: str) -> str:
    names = [x, *(build.constant(n, np.ones(c, np.float32)) for n in ("scale", "shift"))]
    return build.node(
        "instance_norm", names + [residual] * bool(residual), attrs, label=f"norm {x}"
    )


def norm(c: int, h: int, w: int, residual: bool, **attrs: str) -> Graph:
    build = image(c, h, w, 1 + residual)
    return build.finish([normalised(build, "x0", c, "x1" * residual, **attrs)])


def one(op: str, x: tuple[int, int, int], inputs: int = 1, **attrs: Any) -> Graph:
    build = image(*x, inputs)
    names = [f"x{index}" for index in range(inputs)]
    return build.finish([build.node(op, names, attrs, label=op)])


def padding(x: tuple[int, int, int], pads: tuple[int, int, int, int], mode: str) -> Graph:
    build = image(*x)
    build.constant("pads", np.array([0, 0, *pads[:2], 0, 0, *pads[2:]]))
    return build.finish([build.node("pad", ["x0", "pads"], {"mode": mode}, label="pad")])


def product(k: int, n: int) -> Graph:
    build = GraphBuilder("one")
    build.input("v", F32, (k,))
    build.constant("m", np.ones((k, n), np.float32))
    return build.finish([build.node("vecmat", ["v", "m"], label="style")])


def rows_of(rows: int, n: int) -> Graph:
    build = GraphBuilder("one")
    build.input("x", F32, (rows, n))
    return build.finish([build.node("softmax", ["x"], label="softmax")])


def layer(rows: int, k: int, n: int, bias: bool = True, **attrs: str) -> Graph:
    build = GraphBuilder("one")
    build.input("x", F32, (rows, k))
    names = ["x", build.constant("w", np.ones((n, k), np.float32))]
    if bias:
        names.append(build.constant("b", np.ones(n, np.float32)))
    return build.finish([build.node("linear", names, attrs, label="fc")])


FRAME: dict[str, Any] = {"pads": (1, 1, 1, 1)}
CASES: dict[str, dict[str, Graph]] = {
    "conv2d": {
        "zeros around": convolution((5, 23, 17), 6, (3, 3), **FRAME),
        "mirrored": convolution((8, 21, 30), 8, (3, 3), pad_mode="reflect", **FRAME),
        "edge": convolution((4, 18, 9), 16, (3, 3), pad_mode="edge", bias=True, **FRAME),
        "wide zeros": convolution((3, 9, 200), 4, (5, 5), pads=(7, 9, 6, 11)),
        "normalised": convolution((8, 31, 19), 8, (3, 3), norm=True, bias=True, **FRAME),
        "odd width": convolution((3, 12, 31), 32, (9, 2), activation="sigmoid"),
        "strided": convolution((3, 40, 41), 7, (5, 2), strides=(3, 4), activation="tanh"),
        "dilated": convolution((3, 30, 33), 6, (3, 3), dilations=(2, 3), pads=(2, 3, 2, 3)),
        "many channels": convolution((16, 9, 7), 130, (3, 3), norm=True, **FRAME),
        "many parts": convolution((4, 9, 17), 300, (3, 3), bias=True, **FRAME),
        "slices": convolution((32, 3, 7), 70, (3, 3), norm=True, bias=True, **FRAME),
        "one pixel": convolution((3, 1, 1), 1, (1, 1), norm=True),
    },
    "instance_norm": {
        "alone": norm(7, 40, 41, residual=False),
        "residual": norm(8, 40, 41, residual=True, activation="sigmoid"),
        "one tile": norm(3, 1, 2, residual=True, activation="relu"),
        "many channels": norm(60, 20, 21, residual=False),
    },
    "channel_sums": {
        "many tiles": norm(9, 50, 41, residual=False),
        "one tile": norm(1, 1, 3, residual=False),
    },
    "elementwise": {
        "two": one("add", (5, 40, 41), 2),
        "one": one("tanh", (5, 40, 41)),
        "short": one("div", (1, 1, 1), 2),
    },
    "rescale": {
        "to integers": one("quantize", (5, 40, 41), position=-3, scale=1.5),
        "short": one("quantize", (1, 1, 1), position=0, scale=1.0),
    },
    "resize_nearest": {
        "both": one("resize_nearest", (5, 31, 29), scale_h=2, scale_w=3),
        "wide": one("resize_nearest", (9, 3, 700), scale_h=1, scale_w=4),
        "one pixel": one("resize_nearest", (1, 1, 1), scale_h=2, scale_w=2),
    },
    "pad": {
        "zeros": padding((5, 23, 29), (2, 3, 1, 4), "constant"),
        "mirrored": padding((5, 23, 29), (2, 3, 1, 4), "reflect"),
        "wide": padding((9, 3, 700), (1, 500, 2, 690), "constant"),
        "wide edge": padding((9, 3, 700), (1, 500, 2, 690), "edge"),
    },
    "pool2d": {
        "largest": one("max_pool", (9, 25, 31), window=(2, 2), strides=(2, 2)),
        "mean": one("average_pool", (9, 25, 31), window=(3, 2)),
        "framed": one("max_pool", (9, 25, 31), window=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    },
    "linear": {
        "rows": layer(3, 300, 200),
        "row": layer(1, 700, 130, bias=False, activation="tanh"),
        "one": layer(1, 1, 1, activation="relu"),
    },
    "softmax": {
        "rows": rows_of(5, 37),
        "one": rows_of(1, 1),
    },
    "vecmat": {
        "blocks": product(26, 1038),
        "one": product(1, 1),
    },
}  # fmt: skip
CASE_NAMES = [(kernel, case) for kernel, cases in CASES.items() for case in cases]
"""Shapes by the kernel they are for, chosen so that its loops and branches all run."""


@cache
def lowered(kernel: str, case: str, machine: str) -> Lowered:
    return lower(CASES[kernel][case], {}, MACHINES[machine])


def run(plan: Lowered, machine: str, programs: Mapping[str, Program], checks: Sequence[str]
        ) -> str:  # fmt: skip
    """What the checks say about a run; nothing when all is well."""
    random = np.random.default_rng(0)
    feeds = {b.name: random.random(b.shape).astype(np.float32) for b in plan.plan.by_role("input")}
    try:
        play(plan.plan, dict(programs), plan.constants, feeds, MACHINES[machine], checks=checks)
    except ZhisuanError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("kernel", "case"), CASE_NAMES)
def test_kernels_are_clean(kernel: str, case: str, machine: str) -> None:
    plan = lowered(kernel, case, machine)
    assert run(plan, machine, plan.programs, CHECKS) == ""


def syncs(program: Program) -> list[list[int]]:
    """The SYNCs by their place in the source: the compiler puts one into several branches."""
    opcodes = program.words & np.uint64((1 << 10) - 1)
    found: dict[object, list[int]] = {}
    for pc in np.flatnonzero(opcodes == BY_NAME["SYNC"].opcode).tolist():
        found.setdefault((str(program.place(pc)), int(program.words[pc])), []).append(pc)
    return list(found.values())


def without(program: Program, places: list[int]) -> Program:
    """The program with the SYNCs at `places` waiting for nothing."""
    words = program.words.copy()
    words[places] &= np.uint64((1 << 16) - 1)
    return replace(program, words=words)


LAST = {"channel_sums": 1, "conv2d": 1, "vecmat": 1}
"""SYNCs after the last store of a kernel, where HALT (or the next load's SYNC) waits as well."""


@pytest.mark.parametrize("kernel", library.NAMES)
def test_every_sync_is_needed_and_its_loss_is_noticed(kernel: str) -> None:
    program = library.compiled(kernel).program
    unnoticed = []
    for places in syncs(program):
        faulty = {kernel: without(program, places)}
        for machine, case in ((m, c) for m in MACHINES for c in CASES[kernel]):
            plan = lowered(kernel, case, machine)
            if "racecheck" in run(plan, machine, {**plan.programs, **faulty}, ("racecheck",)):
                break
        else:
            unnoticed.append(program.place(places[0]))
    assert len(unnoticed) <= LAST.get(kernel, 0), f"not noticed: {unnoticed}"
