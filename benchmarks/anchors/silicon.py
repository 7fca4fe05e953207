"""The course's matmul ladder on an MLU370-X8 card."""

from __future__ import annotations

import numpy as np

from benchmarks.anchors import Anchor, Answer
from benchmarks.anchors.stream import NRAM, Stream
from zhisuan import bcl
from zhisuan.arch.load import load, vary
from zhisuan.isa.address import GDRAM as DRAM
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import TraceBuilder

M, K, N = 128, 256, 128
SCALAR = """
__nram__ float a[M * K];
__nram__ float b[K * N];
__nram__ float c[M * N];
__mlu_entry__ void matmul(float *x, float *y, float *z) {
  __memcpy(a, x, M * K * sizeof(float), GDRAM2NRAM);
  __memcpy(b, y, K * N * sizeof(float), GDRAM2NRAM);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum += a[i * K + k] * b[k * N + j];
      c[i * N + j] = sum;
    }
  __memcpy(z, c, M * N * sizeof(float), NRAM2GDRAM);
}
"""


def scalar_milliseconds() -> float:
    """The first step of the ladder: three loops of scalar code on NRAM."""
    machine = load("dlp-s")
    defines = {"M": M, "K": K, "N": N}
    program = bcl.compile(SCALAR, "matmul.bcl", defines=defines).program
    memory = Memory(machine)
    memory.reserve(DRAM.base + (1 << 20))
    x, y, z = DRAM.base, DRAM.base + (1 << 18), DRAM.base + (1 << 19)
    random = np.random.default_rng(0)
    left, right = (random.integers(-3, 4, s).astype(np.float32) for s in ((M, K), (K, N)))
    memory.write(x, left.reshape(-1))
    memory.write(y, right.reshape(-1))
    builder = TraceBuilder()
    execute(program, "matmul", [x, y, z], memory, builder, label="matmul")
    assert np.array_equal(memory.read(z, np.float32, M * N).reshape(M, N), left @ right)
    return 1e3 * replay(builder.build(), machine).total / machine.clock_hz


ROWS = 524_288
TILE = 128


def pipeline_milliseconds() -> float:
    """The last step: load, multiply and store overlap on all cores, one of which is timed.

    Every core has its share of the rows and of the bandwidth.
    """
    chip = load("mlu370")
    share = {"dram.bytes_per_second": chip.dram.bytes_per_second // chip.cores}
    machine = vary(chip, share)
    stream = Stream()
    size, out = TILE * K * 4, TILE * N * 4
    tiles = ROWS // TILE // chip.cores
    stream.load_weights(K * N * 4)
    stream.load(size)
    for number in range(tiles):
        stream.sync()
        stream.product("f32.f32", TILE, K, N, source=NRAM.base + number % 2 * size,
                       to=NRAM.base + 2 * size + number % 2 * out)  # fmt: skip
        if number + 1 < tiles:
            stream.load(size)
        if number:
            stream.store(out)
    stream.sync()
    stream.store(out)
    return 1e3 * stream.timing(machine).total / machine.clock_hz


def anchor() -> Anchor:
    answers = (
        Answer("scalar loops on NRAM", 126.067, "ms", "F", scalar_milliseconds(),
               "our scalar core is assumed, not measured: 3 cycles for a load from NRAM, which "
               "the card evidently exceeds"),
        Answer("three-stage pipeline, 524288 rows", 3.824, "ms", "F", pipeline_milliseconds(),
               "ours is bound by the 307.2 GB/s less refresh and turns of the bus; the card's time "
               "is 69 % of the peak"),
    )  # fmt: skip
    return Anchor(
        "Silicon, MLU370-X8: 128×256 · 256×128 in FP32",
        "The scalar step is BCL source, compiled and run on a core of `dlp-s`. The pipeline is a "
        "stream for one core of `mlu370`, with its share of rows and bandwidth.",
        answers,
    )
