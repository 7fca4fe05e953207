"""The network between clusters: which links a transfer takes.

Comes in: a machine.  Goes out: routes, lists of link numbers.  Every cluster has one outgoing
link in each direction of the topology; a route is always the same for the same two clusters:
the shorter way (upwards where both are as long), in a grid first along x, then along y.
"""

from __future__ import annotations

from math import isqrt

from zhisuan.arch.machine import Machine


class Network:
    """`links` of them, numbered cluster by cluster; a grid is `width` × `height` clusters."""

    def __init__(self, machine: Machine) -> None:
        clusters, topology = machine.chip.clusters, machine.noc.topology
        sides = [side for side in range(1, isqrt(clusters) + 1) if clusters % side == 0]
        self.height = 1 if topology == "ring" else sides[-1]
        self.width = clusters // self.height
        self.wraps = topology in ("ring", "torus")
        self.links = 4 * clusters  # right, left, down, up of each

    def route(self, source: int, target: int) -> list[int]:
        """Links from one cluster to another, in order; none to itself."""
        y, x = divmod(source, self.width)
        target_y, target_x = divmod(target, self.width)
        links = []
        for step in self._steps(x, target_x, self.width):
            links.append(4 * (y * self.width + x) + (0 if step > 0 else 1))
            x = (x + step) % self.width
        for step in self._steps(y, target_y, self.height):
            links.append(4 * (y * self.width + x) + (2 if step > 0 else 3))
            y = (y + step) % self.height
        return links

    def _steps(self, start: int, end: int, size: int) -> list[int]:
        up = (end - start) % size
        if not self.wraps:
            return [1 if end > start else -1] * abs(end - start)
        return [1] * up if 2 * up <= size else [-1] * (size - up)
