"""VGG16 at 224 × 224: simulated values and timing beside PyTorch computing it on this CPU.

PyTorch is not a dependency: without it only our side is measured, and the table says so.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.load import load
from zhisuan.graph.ir import Graph
from zhisuan.lower import lower
from zhisuan.models import vgg16
from zhisuan.runtime.device import play
from zhisuan.sim.timing import replay

ROUNDS = 5
THREADS = 2


@dataclass(frozen=True)
class Comparison:
    """Median seconds of a round; `torch` is None where PyTorch is not installed."""

    values: float
    timing: float
    torch: float | None
    cycles: int
    utilisation: float


def torch_network(graph: Graph) -> Callable[[np.ndarray], object] | None:
    """The same graph in PyTorch, float32, on THREADS threads."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(THREADS)
    constants = {name: torch.tensor(array) for name, array in graph.constants.items()}
    functions = torch.nn.functional

    def run(image: np.ndarray) -> object:
        with torch.inference_mode():
            x = torch.tensor(image)
            for node in graph.nodes:
                weights = [constants[name] for name in node.inputs[1:]]
                if node.op == "conv2d":
                    x = functions.conv2d(x, *weights, padding=1)
                elif node.op == "max_pool":
                    x = functions.max_pool2d(x, 2)
                elif node.op == "flatten":
                    x = x.flatten(1)
                else:
                    x = functions.linear(x, *weights)
                if node.attrs.get("activation"):
                    x = functions.relu(x)
            return x

    return run


def measure(rounds: int = ROUNDS) -> Comparison:
    """Both sides in turn, after one uncounted round."""
    installed = importlib.util.find_spec(vgg16.WEIGHTS.package) is not None
    graph = vgg16.build(vgg16.imagenet_weights() if installed else vgg16.random_weights())
    machine = load("dlp-s")
    lowered = lower(graph, {}, machine)
    image = np.random.default_rng(0).normal(0, 60, (1, 3, 224, 224)).astype(np.float32)
    peer = torch_network(graph)
    seconds: dict[str, list[float]] = {"values": [], "timing": [], "torch": []}
    timing = None
    for counted in [False] + [True] * rounds:
        marks = [time.perf_counter()]
        _, trace = play(
            lowered.plan, lowered.programs, lowered.constants, {"image": image}, machine
        )
        marks.append(time.perf_counter())
        timing = replay(trace, machine)
        marks.append(time.perf_counter())
        if peer is not None:
            peer(image)
        marks.append(time.perf_counter())
        if counted:
            for name, spent in zip(seconds, np.diff(marks), strict=True):
                seconds[name].append(float(spent))
    assert timing is not None
    macs = sum(macs for _, macs in lowered.plan.layers().values())
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    return Comparison(
        medians["values"],
        medians["timing"],
        medians["torch"] if peer is not None else None,
        timing.total,
        macs / (timing.total * machine.macs_per_cycle),
    )


def table(result: Comparison) -> str:
    """The result as Markdown."""
    ours = result.values + result.timing
    theirs, ratio = "not installed", "—"
    if result.torch is not None:
        theirs, ratio = f"{result.torch:.3f}", f"{ours / result.torch:.2f}"
    return (
        f"| values, s | timing, s | PyTorch float32, {THREADS} threads, s | simulated / PyTorch "
        "| chip, ms at 1 GHz | utilisation |\n|---:|---:|---:|---:|---:|---:|\n"
        f"| {result.values:.3f} | {result.timing:.3f} | {theirs} | {ratio} "
        f"| {result.cycles / 1e6:.2f} | {100 * result.utilisation:.1f} % |"
    )
