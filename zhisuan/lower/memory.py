"""DRAM planning: addresses for buffers, reusing room whose contents no longer matter."""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.isa.address import GDRAM

ALIGNMENT = 256


@dataclass
class Request:
    """A buffer that wants `size` bytes from launch `first` to launch `last`, both included."""

    name: str
    size: int
    first: int
    last: int


def place(requests: list[Request]) -> tuple[dict[str, int], int]:
    """Addresses by name, and the bytes of GDRAM used.

    Big buffers first, each at the lowest gap among those alive at the same time: first fit by
    size, the usual heuristic for offset assignment; `runtime.plan.verify` checks the result.
    """
    placed: list[tuple[int, int, Request]] = []
    addresses: dict[str, int] = {}
    for request in sorted(requests, key=lambda r: (-r.size, r.first, r.name)):
        alive = sorted(
            (start, end)
            for start, end, other in placed
            if other.first <= request.last and request.first <= other.last
        )
        offset = 0
        for start, end in alive:
            if offset + request.size <= start:
                break
            offset = max(offset, -(-end // ALIGNMENT) * ALIGNMENT)
        placed.append((offset, offset + request.size, request))
        addresses[request.name] = GDRAM.base + offset
    return addresses, max((end for _, end, _ in placed), default=0)
