"""A network on a simulated machine: how long it takes there, what it costs, and how long here.

`PRECISIONS` are the ways a network is brought to a machine; a way that the machine or the kernels
lack is an error that the measurements show as a row without figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from benchmarks.networks import Network
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Graph
from zhisuan.lower import lower
from zhisuan.quantize import calibrate, quantize
from zhisuan.runtime.device import Loaded
from zhisuan.sim.energy import energy
from zhisuan.sim.timing import replay


def _integers(network: Network) -> Graph:
    return quantize(network.graph, calibrate(network.graph, [network.inputs])).graph


PRECISIONS: dict[str, Callable[[Network], Graph]] = {
    "FP16": lambda network: network.graph,
    "INT8": _integers,
}


@dataclass(frozen=True)
class ChipRun:
    """One inference on a machine: there `cycles` and `joules`, on `cores` of its cores."""

    machine: Machine
    precision: str
    cycles: int
    joules: float
    macs: int
    cores: int

    @property
    def seconds(self) -> float:
        return self.cycles / self.machine.clock_hz

    @property
    def utilisation(self) -> float:
        """The graph's multiply-accumulates over the slots of the whole chip."""
        kind = {"FP16": "f16", "INT8": "i8"}[self.precision]
        slots = self.machine.matrix.elements * self.machine.lanes(kind) * self.machine.cores
        return self.macs / (self.cycles * slots)


def loaded(network: Network, machine: Machine, precision: str) -> Loaded:
    """The network planned for the machine, its weights in DRAM."""
    if precision not in PRECISIONS:
        raise ZhisuanError(f"no network is brought to a machine in {precision} yet",
                           expected=", ".join(PRECISIONS), found=precision)  # fmt: skip
    found = lower(PRECISIONS[precision](network), network.sizes, machine)
    return Loaded(found.plan, found.programs, found.constants, machine)


def run(network: Network, precision: str, on: Loaded) -> ChipRun:
    """One inference with its energy."""
    machine, launches = on.device.machine, on.plan.launches
    _, trace = on.run(network.inputs)
    timing = replay(trace, machine)
    return ChipRun(
        machine,
        precision,
        timing.total,
        energy(trace, timing, machine).total / 1e15,
        sum(launch.macs for launch in launches),
        min(max(prod(launch.dims) for launch in launches), machine.cores),
    )
