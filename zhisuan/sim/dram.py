"""DRAM as channels of banks of rows: when each turn of a transfer has been served.

Comes in: transfers as `Blocks`, turn by turn in the order in which they are ready.  Goes out: when
each turn ends, and how long others held it up.  This is the definition; native/dram.c repeats it.

A channel serves what it is asked in order.  A visit to a row finds it open, or closes the row
that is open in the bank (tRP; after tRAS, and tWR after a write) and opens its own (tRCD).  A turn
is known one turn ahead, so that rows are opened behind the data of the turn before.  The data bus
is idle while it turns from reading to writing and back, and after `write_batch` bursts of writing
it turns to reads, which may have come, and back.  Refresh makes every burst longer, by its share
of the time.  A burst that is written in part is read first: one burst more.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.sim.blocks import Blocks

FRACTION = 16
"""Moments here are cycles with so many bits of fraction."""
COUNTS = ("row hits", "row misses", "turn-arounds")
ROW_HIT, ROW_MISS, TURN = range(len(COUNTS))
"""What is counted."""
_CLOSED = -1


@dataclass(frozen=True)
class Pace:
    """A machine's DRAM in the units of the walk: bytes, and cycles with FRACTION."""

    channels: int
    banks: int
    interleave: int
    turn: int  # bytes of a turn, over all channels
    row: int
    access: int
    burst: int
    precharge: int
    activate: int
    active: int  # tRAS
    interval: int
    recovery: int
    to_write: int
    to_read: int
    batch: int
    segment: int


def pace(machine: Machine) -> Pace:
    """The pace of a machine with channels."""
    c, dram = machine.channels, machine.dram
    assert c is not None

    def cycles(picoseconds: int) -> int:
        return ceil_div((picoseconds * machine.clock_hz) << FRACTION, 10**12)

    moved = (dram.access_bytes * c.count * machine.clock_hz) << FRACTION
    free = c.refresh_interval_ps - c.refresh_ps
    return Pace(
        channels=c.count, banks=c.banks, interleave=c.interleave_bytes,
        turn=c.turn_bytes * c.count, row=c.row_bytes, access=dram.access_bytes,
        burst=ceil_div(moved * c.refresh_interval_ps, dram.bytes_per_second * free),
        precharge=cycles(c.precharge_ps), activate=cycles(c.activate_ps),
        active=cycles(c.row_cycle_ps - c.precharge_ps), interval=cycles(c.activate_interval_ps),
        recovery=cycles(c.write_recovery_ps), to_write=cycles(c.read_to_write_ps),
        to_read=cycles(c.write_to_read_ps), batch=c.write_batch,
        segment=dram.segment_cycles << FRACTION,
    )  # fmt: skip


@dataclass
class Progress:
    """How far a transfer has come: the next byte to move, and moments with FRACTION."""

    block: int
    ready: int  # for its next turn
    asked: int  # when that was known
    segment: int = 0
    offset: int = 0
    waited: int = 0  # for the turns of other transfers


class Dram:
    """The channels between turns; `events` are COUNTS."""

    def __init__(self, pace: Pace, blocks: Blocks) -> None:
        self.pace, self.blocks = pace, blocks
        count, banks = pace.channels, pace.channels * pace.banks
        self.bus = [0] * count  # free from
        self.next_activate = [0] * count
        self.writing = [False] * count
        self.written = [0] * count  # bursts since the bus turned
        self.open = [_CLOSED] * banks  # the row
        self.may_close = [0] * banks
        self.events = [0] * len(COUNTS)
        self._before: dict[int, int] = {}
        """When the buses of the turn's channels were free before it."""
        self._end, self._held = 0, 0
        """When the turn ends so far, and when its last channel was free for it."""

    def begin(self, row: int, ready: int) -> Progress:
        """A transfer that is ready in a cycle."""
        moment = ready << FRACTION
        return Progress(int(self.blocks.first[row]), moment, moment)

    def serve(self, transfer: Progress, row: int) -> bool:
        """Serve a turn of `row`; whether it was the last one."""
        self._before, self._end, self._held = {}, 0, 0
        end_block, room, segments = int(self.blocks.first[row + 1]), self.pace.turn, 0
        while self._more(transfer, end_block) and room:
            size = int(self.blocks.size[transfer.block])
            start = self._segment_start(transfer) + transfer.offset
            taken = size - transfer.offset
            if taken > room:  # up to the end of a piece of the interleaving
                taken = (start + room) // self.pace.interleave * self.pace.interleave - start
                if taken <= 0:
                    break
            self._move(start, taken, bool(self.blocks.write[transfer.block]), transfer.asked)
            room -= taken
            transfer.offset += taken
            if transfer.offset == size:
                transfer.segment, transfer.offset = transfer.segment + 1, 0
                segments += 1
        ready = transfer.ready
        transfer.waited += max(0, self._held - ready)
        transfer.asked = ready
        transfer.ready = max(self._end, ready + segments * self.pace.segment)
        return not self._more(transfer, end_block)

    def _more(self, transfer: Progress, end_block: int) -> bool:
        """Whether there is more to move; goes to the next block where one is done."""
        blocks = self.blocks
        while transfer.block < end_block:
            if transfer.segment < blocks.n[transfer.block] * blocks.n1[transfer.block]:
                return True
            transfer.block, transfer.segment = transfer.block + 1, 0
        return False

    def _segment_start(self, transfer: Progress) -> int:
        blocks, i = self.blocks, transfer.block
        outer, inner = divmod(transfer.segment, int(blocks.n[i]))
        return int(blocks.address[i] + outer * blocks.outer[i] + inner * blocks.stride[i])

    def _move(self, start: int, size: int, write: bool, asked: int) -> None:
        """Move neighbouring bytes, channel by channel."""
        pace, last_byte = self.pace, start + size - 1
        first, last = start // pace.interleave, last_byte // pace.interleave
        for piece in range(first, min(last + 1, first + pace.channels)):
            channel = piece % pace.channels
            final = last - (last - piece) % pace.channels
            low = piece // pace.channels * pace.interleave
            low += start % pace.interleave if piece == first else 0
            high = final // pace.channels * pace.interleave
            high += last_byte % pace.interleave + 1 if final == last else pace.interleave
            part = 0
            if write:
                part = int(piece == first and start % pace.access > 0)
                at_end = final == last and (last_byte + 1) % pace.access > 0
                alone = part and start // pace.access == last_byte // pace.access
                part += int(at_end and not alone)
            self._move_on(channel, low, high, part, write, asked)

    def _move_on(
        self, channel: int, low: int, high: int, extra: int, write: bool, asked: int
    ) -> None:
        """Move the bytes [low, high) of a channel, row by row, and some bursts more."""
        pace = self.pace
        before = self._before.setdefault(channel, self.bus[channel])
        while low < high:
            row = low // pace.row
            end = min(high, (row + 1) * pace.row)
            bursts = (end - 1) // pace.access - low // pace.access + 1 + extra
            self._visit(channel, row, bursts, write, asked)
            low, extra = end, 0
        if self.bus[channel] > self._end:
            self._end, self._held = self.bus[channel], before

    def _visit(self, channel: int, row: int, bursts: int, write: bool, asked: int) -> None:
        pace, bank = self.pace, channel * self.pace.banks + row % self.pace.banks
        begin = asked
        if self.open[bank] == row:
            self.events[ROW_HIT] += 1
        else:
            self.events[ROW_MISS] += 1
            if self.open[bank] != _CLOSED:
                begin = max(begin, self.may_close[bank]) + pace.precharge
            begin = max(begin, self.next_activate[channel])
            self.next_activate[channel] = begin + pace.interval
            self.may_close[bank] = begin + pace.active
            self.open[bank] = row
            begin += pace.activate
        self._turn_the_bus(channel, bursts, write)
        self.bus[channel] = max(self.bus[channel], begin) + bursts * pace.burst
        recovery = pace.recovery if write else 0
        self.may_close[bank] = max(self.may_close[bank], self.bus[channel] + recovery)

    def _turn_the_bus(self, channel: int, bursts: int, write: bool) -> None:
        pace = self.pace
        if self.writing[channel] != write:
            self.writing[channel], self.written[channel] = write, 0
            self.bus[channel] += pace.to_write if write else pace.to_read
            self.events[TURN] += 1
        if write:
            batches = (self.written[channel] + bursts - 1) // pace.batch
            self.written[channel] += bursts - batches * pace.batch
            self.bus[channel] += batches * (pace.to_read + pace.to_write)
            self.events[TURN] += 2 * batches
