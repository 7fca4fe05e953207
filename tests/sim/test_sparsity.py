"""Weights that are not zero: counted in traces, skipped by machines that can; values stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sim_programs import ROUND, memory_for, run_text

from zhisuan.arch.describe import vary
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.matrix import pack_weights, pack_weights_i4, weights_noted
from zhisuan.sim.energy import energy
from zhisuan.sim.memory import Memory
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace

SKIPPING = vary(
    ROUND, {"sparsity.skip": "weights", "sparsity.window": 256, "sparsity.index_bits": 4}
)
TAPS, CO, PIXELS = 200, 70, 10
KINDS = {"i4": np.int8, "i8": np.int8, "i16": np.int16, "f16": np.float16, "f32": np.float32}


def pruned(kind: type, keep: float) -> np.ndarray:
    """[TAPS, CO], most of them zero."""
    draw = np.random.default_rng(7)
    values = draw.integers(1, 8, (TAPS, CO)) * draw.choice([-1, 1], (TAPS, CO))
    return (values * (draw.random((TAPS, CO)) < keep)).astype(kind)


def number(register: int, value: int) -> str:
    low = (value & 0xFFFFFFFF) - ((value & 0x80000000) << 1)
    return f"SLOAD ${register}, #{low}\n SHIGH ${register}, #{value >> 32}\n"


def convolved(name: str, filters: np.ndarray, executor: str) -> tuple[Memory, Trace]:
    memory = memory_for(ROUND)
    raw = pack_weights_i4(filters) if name == "i4" else pack_weights(filters)
    memory.write(WRAM.base, raw)
    memory.write(NRAM.base, np.arange(4000, dtype=np.uint8))
    pitch = PIXELS * TAPS * (4 if name == "f32" else 2)
    values = [
        NRAM.base + (1 << 16), NRAM.base, WRAM.base, 1 | PIXELS << 16 | 1 << 32 | 1 << 48,
        TAPS | CO << 32, 1 | 1 << 16 | 1 << 32 | 1 << 48, pitch | PIXELS * CO * 4 << 32,
    ]  # fmt: skip
    text = "".join(number(1 + i, value) for i, value in enumerate(values))
    mode = f"{name}.{'f32' if name[0] == 'f' else 'i32'}"
    text += f"CONV.{mode} $1, $2, $3, $4, $5, $6, $7\nHALT"
    return run_text(text, memory=memory, executor=executor)


def noted(trace: Trace) -> tuple[int, int]:
    (row,) = np.flatnonzero(trace.opcode == 0x300)
    return int(trace.a[7, row]), int(trace.a[8, row])


def conv_cycles(trace: Trace, machine: Machine) -> int:
    (row,) = np.flatnonzero(trace.opcode == 0x300)
    timing = replay(trace, machine)
    return int(timing.end[row] - timing.start[row])


@pytest.mark.parametrize("executor", ["native", "reference"])
@pytest.mark.parametrize("name", KINDS)
def test_the_trace_counts_weights(name: str, executor: str) -> None:
    filters = pruned(KINDS[name], 0.4)
    each = (filters != 0).sum(axis=0)
    paced = each[:64].max() + each[64:].max()
    assert noted(convolved(name, filters, executor)[1]) == (paced, each.sum())
    assert weights_noted(filters) == (paced, each.sum())


def test_the_sign_of_a_zero_does_not_count() -> None:
    filters = np.full((TAPS, CO), -0.0, np.float16)
    filters[3, 2] = np.nan
    for executor in ("native", "reference"):
        assert noted(convolved("f16", filters, executor)[1]) == (1, 1)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "i4"])
def test_cycles_follow_the_slowest_channel(name: str) -> None:
    kind = KINDS[name]
    lanes = ROUND.lanes(name)
    for keep in (0.0, 0.1, 0.5, 1.0):
        filters = pruned(kind, keep)
        trace = convolved(name, filters, "native")[1]
        each = (filters != 0).sum(axis=0)
        steps = max((each[:64].max() + each[64:].max() + 2 * (lanes - 1)) // lanes, 2)
        assert conv_cycles(trace, SKIPPING) == PIXELS * steps
        assert conv_cycles(trace, ROUND) == PIXELS * 2 * -(-TAPS // lanes)


def test_the_window_bounds_the_gain() -> None:
    trace = convolved("f16", pruned(np.float16, 0.01), "native")[1]
    narrow = vary(SKIPPING, {"sparsity.window": 20})
    assert conv_cycles(trace, narrow) == PIXELS * 2 * 10


def test_fewer_elements_take_more_passes() -> None:
    trace = convolved("f16", pruned(np.float16, 1.0), "native")[1]
    few = vary(SKIPPING, {"matrix.elements": 16})
    assert conv_cycles(trace, few) == 4 * conv_cycles(trace, SKIPPING)


def test_skipped_weights_cost_no_energy() -> None:
    technology = replace(ROUND, technology=SKIPPING.technology)
    spent = {}
    for keep in (0.1, 1.0):
        trace = convolved("f16", pruned(np.float16, keep), "native")[1]
        parts = energy(trace, replay(trace, SKIPPING), SKIPPING).by_part()
        dense = energy(trace, replay(trace, technology), technology).by_part()
        spent[keep] = parts["MAC f16"]
        count = noted(trace)[1] * PIXELS
        assert parts["MAC f16"] % count == 0
        assert parts["MAC f16"] < dense["MAC f16"]
    assert 8 < spent[1.0] / spent[0.1] < 12


@pytest.mark.parametrize(
    "changes",
    [{"matrix.elements": 128, "wram.size": 1 << 20}, {"matrix.kind": "systolic"}],
    ids=["elements", "kind"],
)
def test_machines_that_cannot_skip(changes: dict[str, int | str]) -> None:
    with pytest.raises(ZhisuanError) as caught:
        vary(SKIPPING, changes)
    assert str(caught.value).split("\n")[:2] == [
        "error: this matrix unit cannot skip weights",
        "  where:    round",
    ]
