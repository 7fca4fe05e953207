"""Random networks on random machines: values against onnxruntime, the native core against the
reference executor bit by bit, and what must hold for every timing."""

from __future__ import annotations

import network_generator as generator
import numpy as np
import onnxruntime
import pytest

from zhisuan.arch.machine import Machine
from zhisuan.frontend.onnx.load import from_model
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import Lowered
from zhisuan.runtime.device import play
from zhisuan.sim.timing import Timing, replay
from zhisuan.sim.trace import Trace

BATCHES = 20
BATCH = 10
"""Networks in a test; every tenth is also run by the slow reference executor."""
TOLERANCE = 0.02
"""Largest error relative to the largest value: FP16 between operators, six of them at most."""


def oracle(network: generator.Network) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network.model.SerializeToString(), options)
    names = [output.name for output in session.get_outputs()]
    return {n: np.asarray(v) for n, v in zip(names, session.run(names, network.feeds), strict=True)}


def lowered_for(network: generator.Network, seed: int) -> tuple[Lowered, Machine]:
    graph = optimize(from_model(network.model, "random", f"seed {seed}"))
    return generator.lowered_for(graph, seed)


def check_timing(trace: Trace, machine: Machine) -> Timing:
    timing = replay(trace, machine)
    assert timing.cycles.min() >= 0
    units = timing.core_cycles.sum(axis=3)
    assert np.array_equal(
        units, np.broadcast_to(timing.launch_cycles()[:, None, None], units.shape)
    )
    assert timing.launch_cycles().sum() == timing.total
    assert replay(trace, machine).total == timing.total
    return timing


def check_reference(lowered: Lowered, feeds: dict[str, np.ndarray], machine: Machine,
                    ours: dict[str, np.ndarray], trace: Trace) -> None:  # fmt: skip
    """The slow executor and the slow walk agree with the native ones to the last bit."""
    again, slow = play(lowered.plan, lowered.programs, lowered.constants, feeds, machine,
                       executor="reference")  # fmt: skip
    assert {name: value.tobytes() for name, value in again.items()} == {
        name: value.tobytes() for name, value in ours.items()
    }
    assert slow.to_bytes() == trace.to_bytes()
    fast, walked = replay(trace, machine), replay(trace, machine, "reference")
    for column in ("queued", "start", "end", "done", "cycles", "launch_end"):
        assert np.array_equal(getattr(fast, column), getattr(walked, column)), column


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_networks(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        network = generator.network(seed)
        lowered, machine = lowered_for(network, seed)
        ours, trace = play(
            lowered.plan, lowered.programs, lowered.constants, network.feeds, machine
        )
        theirs = oracle(network)
        assert set(ours) == set(theirs)
        for name, expected in theirs.items():
            scale = max(1.0, float(np.max(np.abs(expected))))
            error = float(np.max(np.abs(ours[name].astype(np.float32) - expected))) / scale
            assert error < TOLERANCE, f"seed {seed}, {name} off by {error:.2g}: {network.story}"
        check_timing(trace, machine)
        other = generator.machine(seed + 1_000_003, chip_seed=seed)
        check_timing(trace, other)  # of as many cores, but not planned for
        if seed % BATCH == 0 and len(trace) < 2000:
            check_reference(lowered, network.feeds, machine, ours, trace)
