"""Integer convolutions of many taps against sums of 64 bits, on hosts with and without the
instructions that make them fast."""

from __future__ import annotations

import numpy as np
import pytest
from sim_programs import ROUND, memory_for

from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.matrix import pack_weights
from zhisuan.isa.program import Kernel, Program
from zhisuan.isa.table import BY_NAME
from zhisuan.sim import native_core

OLD_HOST = ("-avx512f", "-avx2", "-fma", "-f16c")
SRC, DST = NRAM.base, NRAM.base + (1 << 16)
PIXELS, CO = 7, 70


def convolved(
    mode: str, neurons: np.ndarray, filters: np.ndarray, start: np.ndarray,
    features: tuple[str, ...] | None,
) -> np.ndarray:  # fmt: skip
    """int32[pixels, channels] of a 1 × 1 convolution of neurons [pixels, taps]."""
    memory = memory_for(ROUND)
    memory.write(SRC, neurons)
    memory.write(WRAM.base, pack_weights(filters))
    memory.write(DST, start)
    (pixels, taps), co = neurons.shape, filters.shape[1]
    pitch = pixels * taps * neurons.itemsize
    registers = [
        DST, SRC, WRAM.base, 1 | pixels << 16 | 1 << 32 | 1 << 48, taps | co << 32,
        1 | 1 << 16 | 1 << 32 | 1 << 48, pitch | pixels * co * 4 << 32,
    ]  # fmt: skip
    items = [Encodable(BY_NAME["CONV"], mode, tuple(range(7))), Encodable(BY_NAME["HALT"], "", ())]
    program = Program("conv", np.array([encode(item) for item in items], np.uint64),
                      {"k": Kernel("k", 0)})  # fmt: skip
    native_core.run(program, 0, registers + [0] * 57, memory, 10, features)
    return memory.read(DST, np.int32, pixels * co).reshape(pixels, co)


def values(style: str, kind: type, shape: tuple[int, int], seed: int) -> np.ndarray:
    limits, draw = np.iinfo(kind), np.random.default_rng(seed)
    if style == "lowest":
        return np.full(shape, limits.min, kind)
    if style == "either end":
        return draw.choice(np.array([limits.min, limits.max], kind), shape)
    if style == "small":
        return draw.integers(-99, 100, shape).astype(kind)
    return draw.integers(limits.min, limits.max + 1, shape).astype(kind)


@pytest.mark.parametrize("features", [None, OLD_HOST], ids=["this host", "an old host"])
@pytest.mark.parametrize("style", ["lowest", "either end", "small", "any"])
@pytest.mark.parametrize("taps", [253, 254, 255, 1021, 2048])
def test_sums_are_exact(taps: int, style: str, features: tuple[str, ...] | None) -> None:
    for kind in (np.int8, np.int16):
        neurons = values(style, kind, (PIXELS, taps), taps)
        filters = values(style, kind, (taps, CO), taps + 1)
        start = values("any", np.int32, (PIXELS, CO), 3)
        for accumulate in (False, True):
            mode = f"{np.dtype(kind).name.replace('int', 'i')}.i32{'.acc' if accumulate else ''}"
            want = neurons.astype(np.int64) @ filters.astype(np.int64) + accumulate * start
            limits = np.iinfo(np.int32)
            got = convolved(mode, neurons, filters, start, features)
            np.testing.assert_array_equal(got, np.clip(want, limits.min, limits.max), mode)
