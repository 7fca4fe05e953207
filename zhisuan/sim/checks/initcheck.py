"""initcheck: bytes that nobody has written, where they come to matter.

Comes in: the events of launch after launch.  Goes out: findings.  On-chip memory and LDRAM count
as unwritten at the start of each launch, a buffer from the launch where its use begins unless the
host has filled it.  Vectors are often computed in whole tiles, gaps included, and gaps are never
looked at: so an element-wise instruction and a transfer between on-chip memories only pass on
that an element has no meaning.  Everything else that reads such a byte is reported: sums,
convolutions, transfers from and to DRAM, scalar loads.  Of a filter in WRAM only the bytes that
count are read, and a scalar load is judged as a whole: compilers copy structures in words.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from zhisuan.isa.address import CONST, GDRAM, PARAM, Space, space_of
from zhisuan.isa.registry import Queue
from zhisuan.sim.checks.accesses import Access
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.checks.events import Event
from zhisuan.sim.checks.finding import Findings, place_of

NAME = "initcheck"
WRITTEN, UNWRITTEN = 0, -1
_FEW = 32
_DRAM = (GDRAM.name,)


class Shadow:
    """The state of every byte: WRITTEN, UNWRITTEN, or the number of the instruction that first
    made something of unwritten bytes (on chip only).

    Arguments and constants are written, and so is GDRAM but for the buffers that are known.
    """

    def __init__(self) -> None:
        self._states: dict[tuple[int | str, ...], np.ndarray] = {}

    def keep_only(self, memory: tuple[int | str, ...]) -> None:
        """Forget the states of all other memories."""
        self._states = {kept: states for kept, states in self._states.items() if kept == memory}

    def set(self, touched: Access, state: int) -> None:
        """Give all bytes of an access one state."""
        space, states = self._of(touched)
        if len(touched.starts) <= _FEW:
            for start, end in zip(touched.starts, touched.ends, strict=True):
                states[start - space.base : end - space.base] = state
        else:
            states[_bytes(touched) - space.base] = state

    def doubtful(self, touched: Access) -> bool:
        """Whether any of the bytes is not WRITTEN; quick."""
        space, states = self._of(touched)
        if len(touched.starts) <= _FEW:
            pairs = zip(touched.starts - space.base, touched.ends - space.base, strict=True)
            return any(states[start:end].any() for start, end in pairs)
        return bool(states[_bytes(touched) - space.base].any())

    def get(self, touched: Access) -> tuple[np.ndarray, np.ndarray]:
        """Addresses of all bytes of an access, and their states."""
        space, states = self._of(touched)
        where = _bytes(touched)
        return where, states[where - space.base]

    def put(self, touched: Access, values: np.ndarray) -> None:
        """The states of all bytes of an access, in the order of their addresses."""
        space, states = self._of(touched)
        states[_bytes(touched) - space.base] = values

    def _of(self, touched: Access) -> tuple[Space, np.ndarray]:
        """The memory that an access is in, and its states, long enough."""
        space = space_of(touched.low)
        assert space is not None, "the executor lets no access to no memory pass"
        states = self._states.get(touched.memory, np.zeros(0, np.int8))
        needed = touched.high - space.base
        if needed > len(states):
            first = WRITTEN if space in (PARAM, CONST, GDRAM) else UNWRITTEN
            kind = np.int32 if space.on_chip else np.int8
            grown = np.full(max(needed, 2 * len(states)), first, kind)
            grown[: len(states)] = states
            self._states[touched.memory] = states = grown
        return space, states


def _bytes(touched: Access) -> np.ndarray:
    """Every address of an access, in order."""
    sizes = touched.ends - touched.starts
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) + np.repeat(touched.starts - before, sizes)


class InitCheck:
    """Judges one launch; the shadow lives on from launch to launch."""

    def __init__(self, findings: Findings, shadow: Shadow, begun: Iterable[Allocation]) -> None:
        self.findings = findings
        self.shadow = shadow
        self._origins: list[tuple[Event, Access]] = []
        shadow.keep_only(_DRAM)
        for item in begun:
            whole = Access(True, np.array([item.address]), np.array([item.end]), _DRAM)
            shadow.set(whole, WRITTEN if item.filled else UNWRITTEN)

    def see(self, event: Event) -> None:
        reads = [item for item in event.accesses if not item.writes]
        doubtful = [item for item in reads if self.shadow.doubtful(item)]
        passed = self._pass_on(event, doubtful)
        for touched in doubtful if passed is None else ():
            self._judge(event, touched)
        for touched in event.accesses:
            if touched.writes:
                if passed is None:
                    self.shadow.set(touched, WRITTEN)
                else:
                    self.shadow.put(touched, passed)

    def _pass_on(self, event: Event, doubtful: list[Access]) -> np.ndarray | None:
        """States of the bytes written, in order, where the instruction is one of those that
        only pass on; None for all others."""
        written = [item for item in event.accesses if item.writes]
        if not doubtful or len(written) != 1:
            return None
        if event.queue is Queue.MOVE and event.copied is not None:
            return self._moved(event, doubtful[0], written[0])
        n = event.elements
        if n and all(item.size % n == 0 for item in doubtful):
            states = np.max([self._by_element(event, item) for item in doubtful], axis=0)
            return np.repeat(states, written[0].size // n)
        return None

    def _by_element(self, event: Event, touched: Access) -> np.ndarray:
        _, states = self.shadow.get(touched)
        return self._named(event, touched, states).reshape(event.elements, -1).max(axis=1)

    def _moved(self, event: Event, source: Access, target: Access) -> np.ndarray:
        assert event.copied is not None
        read, write = event.copied()
        where, states = self.shadow.get(source)
        moved = states[np.searchsorted(where, read)]
        order = np.argsort(write, kind="stable")  # of bytes written twice the last one stays
        last = np.append(write[order][1:] != write[order][:-1], True)
        return self._named(event, source, moved[order][last])

    def _named(self, event: Event, touched: Access, states: np.ndarray) -> np.ndarray:
        """The states with UNWRITTEN made the number of this instruction."""
        if not (states == UNWRITTEN).any():
            return states
        self._origins.append((event, touched))
        return np.where(states == UNWRITTEN, len(self._origins), states)

    def _judge(self, event: Event, touched: Access) -> None:
        where, states = self.shadow.get(touched)
        bad = np.flatnonzero(states)
        if event.queue is None and len(bad) < touched.size:
            return
        state, first = int(states[bad[0]]), int(where[bad[0]])
        origin = None if state == UNWRITTEN else self._origins[state - 1]
        what = "bytes that nobody has written"
        self.findings.add(
            NAME, f"read of {what if origin is None else 'a result of ' + what}",
            event, touched, origin,
            expected=f"{len(bad)} more bytes written, the first at {place_of(first)}",
            hint="load or set all that is read, or read less: is the last tile short?",
        )  # fmt: skip
        self.shadow.set(touched, WRITTEN)  # said once
