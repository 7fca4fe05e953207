"""Traces from memory are the traces that a run leaves, whatever the machine and the values."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.explore.program import Planned, Saved
from zhisuan.explore.watch import Memo
from zhisuan.graph.ir import Graph
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import lower
from zhisuan.runtime.device import play
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace

CHOICES = {
    "matrix.elements": (32, 64),
    "matrix.lanes_f16": (8, 24, 48),
    "nram.size": (1 << 17, 3 << 16, 3 << 17),
    "nram.stack": (1 << 15, 1 << 16),
    "wram.size": (1 << 17, 1 << 20),
    "vector.bytes_per_cycle": (64, 128),
    "dram.bytes_per_second": (10**10, 10**11),
    "dram.read_latency": (10, 200),
    "queues.window": (1, 8),
    "clock.hz": (10**9, 2 * 10**9),
}


def machines(count: int) -> list[Machine]:
    draw = random.Random(5)
    base = load("dlp-s")
    return [vary(base, {k: draw.choice(v) for k, v in CHOICES.items()}) for _ in range(count)]


def run_with_values(graph: Graph, sizes: dict[str, int], machine: Machine) -> Trace:
    lowered = lower(graph, sizes, machine)
    draw = np.random.default_rng(1)
    inputs = {
        b.name: draw.standard_normal(b.shape, np.float32) for b in lowered.plan.by_role("input")
    }
    return play(lowered.plan, lowered.programs, lowered.constants, inputs, machine)[1]


def without_notes(trace: Trace) -> Trace:
    """The trace without what execution noted of values: how many weights are not zero."""
    a = trace.a.copy()
    for row, _, rows in trace.groups():
        a[len(row.operands) : len(row.operands) + len(row.noted), rows] = 0
    return replace(trace, a=a)


def test_traces_from_memory(small: Graph) -> None:
    program = Planned(optimize(small), {})
    different = set()
    for machine in machines(10):
        expected = run_with_values(optimize(small), {}, machine)
        found = program.run(machine)
        assert without_notes(found.trace).to_bytes() == without_notes(expected).to_bytes()
        assert replay(found.trace, machine).total == replay(expected, machine).total
        different.add(expected.to_bytes())
    assert len(different) > 3
    assert {"nram.size", "matrix.lanes_f16"} <= program.depends_on()
    assert "queues.window" not in program.depends_on()


@pytest.mark.parametrize("clusters", [1, 3])
def test_traces_of_many_cores(small: Graph, clusters: int) -> None:
    machine = vary(load("mlu270"), {"chip.clusters": clusters, "chip.cores_per_cluster": 2})
    expected = run_with_values(optimize(small), {}, machine)
    program = Planned(optimize(small), {})
    found = program.run(machine).trace
    assert without_notes(found).to_bytes() == without_notes(expected).to_bytes()
    assert len(np.unique(expected.cluster)) == clusters
    assert {"chip.clusters", "chip.cores_per_cluster"} <= program.depends_on()


def test_the_style_network_without_values() -> None:
    from zhisuan.models import style

    graph, machine = optimize(style.load()), load("dlp-s")
    sizes = {"h": 20, "w": 20}
    found = Planned(graph, sizes).run(machine)
    expected = run_with_values(graph, sizes, machine)
    assert without_notes(found.trace).to_bytes() == without_notes(expected).to_bytes()


def test_machines_that_skip_weights_are_refused(small: Graph) -> None:
    skipping = vary(load("dlp-s"), {"sparsity.skip": "weights"})
    with pytest.raises(ZhisuanError) as caught:
        Planned(optimize(small), {}).run(skipping)
    assert caught.value.what == "a sweep of a network does not know its weights"


def test_only_what_was_read_counts() -> None:
    base = load("dlp-s")
    memo: Memo[int] = Memo(4)

    def make(machine: Machine) -> int:
        return machine.nram_usable if machine.vector.latency == 8 else 0

    assert memo.get(base, make) == memo.get(vary(base, {"queues.window": 3}), make)
    assert memo.misses == 1
    assert memo.get(vary(base, {"nram.size": 1 << 20}), make) == (1 << 20) - base.nram.stack
    assert memo.misses == 2
    quick = vary(base, {"vector.latency": 7})
    assert memo.get(quick, make) == 0 == memo.get(vary(quick, {"nram.size": 1 << 20}), make)
    assert memo.misses == 3
    assert memo.keys_read() == {"clock.hz", "nram.size", "nram.stack", "vector.latency"}


def test_errors_are_remembered_and_old_results_forgotten() -> None:
    base = load("dlp-s")
    memo: Memo[int] = Memo(2)

    def make(machine: Machine) -> int:
        if machine.queues.io > 5:
            raise ZhisuanError(f"{machine.queues.io}")
        return machine.queues.io

    for _ in range(2):
        with pytest.raises(ZhisuanError, match="32"):
            memo.get(base, make)
    assert memo.misses == 1
    for io in (1, 2, 2, 1):
        assert memo.get(vary(base, {"queues.io": io}), make) == io
    assert memo.misses == 3
    with pytest.raises(ZhisuanError, match="32"):
        memo.get(base, make)
    assert memo.misses == 4


def test_a_saved_trace_needs_its_memories(small: Graph) -> None:
    base = load("dlp-s")
    trace = run_with_values(optimize(small), {}, base)
    program = Saved(trace)
    assert program.run(vary(base, {"matrix.lanes_f16": 48})).trace is trace
    with pytest.raises(ZhisuanError, match="the trace needs more NRAM than the machine has"):
        program.run(vary(base, {"nram.size": 1 << 14, "nram.stack": 0}))
    with pytest.raises(ZhisuanError, match="the trace needs more WRAM than the machine has"):
        program.run(vary(base, {"wram.size": 1 << 12}))
