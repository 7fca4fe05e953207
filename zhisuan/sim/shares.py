"""What the cores of a chip share, and how long each transfer keeps it busy.

Comes in: the transfers of a trace.  Goes out: `Shares`, for every row the resources it needs and
for how many cycles, and the `Blocks` that move where the machine's DRAM has channels.  A resource
serves one transfer after another: DRAM without channels for the bytes over its bandwidth; a
cluster's SRAM, as wide as the ports of its cores together, a multicast keeping all of them busy;
every link of the network for the bytes over the link.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.address import GDRAM, LDRAM, SRAM
from zhisuan.isa.constant_address import plain
from zhisuan.isa.registry import Instruction, Operands, Unit
from zhisuan.sim.blocks import BlockCollector, Blocks, no_blocks
from zhisuan.sim.network import Network
from zhisuan.sim.trace import Trace

DRAM_RESOURCE = 0
_DRAM = (LDRAM, GDRAM)
MULTICASTS = ("VCAST", "VCAST3", "MCAST", "MCAST3")


@dataclass
class Shares:
    """Row r needs resource[i] for cycles[i], for i from first[r] to first[r + 1]; all int64.

    Resource 0 is the DRAM without channels, then come the clusters' SRAMs, then links.
    """

    resources: int
    clusters: int
    first: np.ndarray
    resource: np.ndarray
    cycles: np.ndarray
    blocks: Blocks


class Collector:
    """Gathers the shares of groups of rows in any order."""

    def __init__(self, trace: Trace, machine: Machine, place: np.ndarray) -> None:
        self.trace, self.machine = trace, machine
        self.network = Network(machine)
        clusters = machine.chip.clusters
        resources = 1 + clusters + self.network.links
        nothing = np.zeros(0, np.int64)
        self.shares = Shares(resources, clusters, nothing, nothing, nothing, no_blocks(0))
        self.blocks = BlockCollector(machine, place)
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(
        self, row: Instruction, o: Operands, rows: np.ndarray, occupancy: np.ndarray
    ) -> np.ndarray | int:
        """Enter rows of one instruction; the latency that their way through the chip adds."""
        if row.name == "CDMA":
            return self._cdma(o, rows, occupancy)
        if row.unit is Unit.IO and (reads_dram(row) or writes_dram(row)):
            latency = self._to_controllers(row, o, rows)
            if self.machine.channels is not None:
                self.blocks.add(row, o, rows)
                return latency
            way = "write" if writes_dram(row) else "read"
            size, segments = _extent(o)
            self._enter(rows, DRAM_RESOURCE, self.machine.dram_cycles(way, size, segments))
            return latency
        elif row.unit is Unit.MOVE and SRAM in (*row.reads, *row.writes):
            ports = 1 if row.name in MULTICASTS else self.machine.chip.cores_per_cluster
            self._enter(rows, self._sram(self.trace.cluster[rows]), ceil_div(occupancy, ports))
        return 0

    def _sram(self, cluster: np.ndarray) -> np.ndarray:
        return 1 + cluster.astype(np.int64)

    def _enter(self, rows: np.ndarray, resource: np.ndarray | int, cycles: np.ndarray) -> None:
        shape = rows.shape
        self._parts.append((rows, np.broadcast_to(resource, shape), np.broadcast_to(cycles, shape)))

    def _cdma(self, o: Operands, rows: np.ndarray, occupancy: np.ndarray) -> np.ndarray:
        """Both SRAMs and the links between; a hop's latency for each link."""
        machine, trace = self.machine, self.trace
        size = ceil_div(occupancy, machine.chip.cores_per_cluster)
        width = np.array([launch.clusters for launch in trace.launches])[trace.launch[rows]]
        source = trace.cluster[rows].astype(np.int64)
        target = source // width * width + o.cluster
        hops = np.zeros(len(rows), np.int64)
        for a, b in {*zip(source.tolist(), target.tolist(), strict=True)}:
            here = (source == a) & (target == b)
            route = self.network.route(a, b)
            hops[here] = len(route)
            link_cycles = ceil_div(o.size[here], machine.noc.link_bytes_per_cycle)
            for link in route:
                self._enter(rows[here], 1 + machine.chip.clusters + link, link_cycles)
        self._enter(rows, self._sram(source), size)
        away = target != source
        self._enter(rows[away], self._sram(target[away]), size[away])
        return hops * machine.noc.hop_latency

    def _to_controllers(self, row: Instruction, o: Operands, rows: np.ndarray) -> np.ndarray | int:
        """The links between the clusters and the memory controllers on the network, over which
        the bytes of a transfer are spread evenly; the latency of the longest way."""
        machine, noc = self.machine, self.machine.noc
        if not noc.controllers:
            return 0
        spread = [i * machine.chip.clusters // noc.controllers for i in range(noc.controllers)]
        size, segments = _extent(o)
        moved = np.broadcast_to(size * segments, rows.shape)
        cluster, hops = self.trace.cluster[rows], np.zeros(len(rows), np.int64)
        for here in np.unique(cluster).tolist():
            own = cluster == here
            routes = [self.network.route(node, here) for node in spread if reads_dram(row)]
            routes += [self.network.route(here, node) for node in spread if writes_dram(row)]
            hops[own] = max(map(len, routes))
            for link, times in sorted(Counter(link for way in routes for link in way).items()):
                cycles = ceil_div(moved[own] * times, noc.controllers * noc.link_bytes_per_cycle)
                self._enter(rows[own], 1 + machine.chip.clusters + link, cycles)
        return hops * noc.hop_latency

    def finish(self) -> None:
        """Put all parts in the order of the rows."""
        rows, resource, cycles = (
            np.concatenate([part[i] for part in self._parts] or [np.zeros(0, np.int64)])
            for i in range(3)
        )
        order = np.lexsort((resource, rows))
        counts = np.bincount(rows.astype(np.int64), minlength=len(self.trace))
        self.shares.first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.shares.resource = resource[order].astype(np.int64)
        self.shares.cycles = cycles[order].astype(np.int64)
        self.shares.blocks = self.blocks.finish(len(self.trace))


def reads_dram(row: Instruction) -> bool:
    return any(space in _DRAM for space in row.reads)


def writes_dram(row: Instruction) -> bool:
    return any(space in _DRAM for space in row.writes)


def _extent(o: Operands) -> tuple[np.ndarray, np.ndarray]:
    """Bytes of a segment and segments of a transfer."""
    o = plain(o)
    return o.size, o.n * o.n1 if hasattr(o, "n1") else 1 + 0 * o.size
