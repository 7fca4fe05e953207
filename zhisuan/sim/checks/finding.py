"""What a check found, and how it is said: the place, the instruction, the bytes, the other party.

Comes in: events that broke a rule.  Goes out: findings, each pair of instructions once however
often it happened, at most so many of a launch, as text on request.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zhisuan.isa.address import space_of
from zhisuan.isa.disasm import format_instruction
from zhisuan.isa.program import Program
from zhisuan.isa.registry import Queue
from zhisuan.sim.checks.accesses import Access
from zhisuan.sim.checks.events import Barrier, Event
from zhisuan.sim.memory import hexadecimal

QUEUE_NAMES = {
    None: "scalar unit",
    Queue.COMPUTE: "compute queue",
    Queue.IO: "IO queue",
    Queue.MOVE: "move queue",
}
MOST = 20
"""Findings kept of one launch unless told otherwise."""


@dataclass(frozen=True)
class Party:
    """An instruction and the access, or barrier, by which it takes part in a finding."""

    pc: int
    place: str
    instruction: str
    queue: Queue | None
    access: Access | None
    barrier: Barrier | None
    task: str

    def __str__(self) -> str:
        return f"{self.place}, pc {self.pc}: {self.instruction}"

    def did(self) -> str:
        """`write of 128 bytes at 0x01000000 (nram) by the IO queue`."""
        touched = self.access
        if touched is None:
            assert self.barrier is not None
            return f"barrier {self.barrier.number}, {self.barrier.arrivals} arrivals,{self.task}"
        pieces = len(touched.starts)
        spread = "" if pieces == 1 else f" in {pieces} pieces up to {hexadecimal(touched.high)}"
        done = "write" if touched.writes else "read"
        return (
            f"{done} of {touched.size} bytes at {place_of(touched.low)}{spread} "
            f"by the {QUEUE_NAMES[self.queue]}{self.task}"
        )


@dataclass(frozen=True)
class Finding:
    """A broken rule.  `check` is its name, `party` who broke it, `other` against whom."""

    check: str
    what: str
    launch: str
    kernel: str
    party: Party
    other: Party | None
    expected: str | None
    hint: str
    times: int = 1

    def __str__(self) -> str:
        lines = [
            f"{self.check}: {self.what}",
            f"  where:    kernel '{self.kernel}', {self.party}",
            f"  found:    {self.party.did()}",
        ]
        if self.other is not None:
            lines += [f"  other:    {self.other}", f"            {self.other.did()}"]
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        lines.append(f"  launch:   {self.launch}" + self._often())
        lines.append(f"  try:      {self.hint}")
        return "\n".join(lines)

    def _often(self) -> str:
        return f", {self.times} times" if self.times > 1 else ""


def place_of(address: int) -> str:
    """`0x01000000 (nram)`."""
    space = space_of(address)
    return hexadecimal(address) + (f" ({space.name})" if space else "")


@dataclass
class Findings:
    """The findings of one launch of a kernel, in the order in which they first happened."""

    launch: str
    kernel: str
    program: Program | None
    most: int = MOST
    left_out: int = 0
    _found: dict[tuple[object, ...], Finding] = field(default_factory=dict)

    def add(
        self,
        check: str,
        what: str,
        event: Event,
        touched: Access | None,
        other: tuple[Event, Access | None] | None = None,
        *,
        expected: str | None = None,
        hint: str,
    ) -> None:
        key = (check, what, event.pc, touched and touched.writes, other and other[0].pc)
        known = self._found.get(key)
        if known is not None:
            self._found[key] = replace(known, times=known.times + 1)
        elif len(self._found) >= self.most:
            self.left_out += 1
        else:
            party = self._party(event, touched)
            against = None if other is None else self._party(*other)
            self._found[key] = Finding(
                check, what, self.launch, self.kernel, party, against, expected, hint
            )

    def all(self) -> list[Finding]:
        return list(self._found.values())

    def _party(self, event: Event, touched: Access | None) -> Party:
        program, pc = self.program, event.pc
        task = "" if event.course.alone else f" of {event.course}"
        if program is None or not 0 <= pc < len(program.words):
            place, text = f"word {pc}", event.name
            return Party(pc, place, text, event.queue, touched, event.barrier, task)
        text = " ".join(format_instruction(int(program.words[pc]), pc=pc).split())
        return Party(pc, program.place(pc), text, event.queue, touched, event.barrier, task)
