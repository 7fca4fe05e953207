"""A core's decoder in the walk: its time, and what it has waited for.

Comes in: rows in program order, each with the cycles that hold the decoder and until when it waits
after them.  Goes out: the decoder's time, and the cycles waited by cause at any moment.  It never
decides when a queue has room or has drained.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.sim.schedule import STALL_CAUSES, WAITS, Cause


@dataclass(frozen=True)
class _Step:
    """A row in the decoder: held for some cycles from `start`, then waiting for `cause`."""

    start: int
    held: int
    stalls: list[int]
    end: int
    cause: Cause

    def waited_until(self, moment: int, before: dict[Cause, int]) -> dict[Cause, int]:
        """Cycles waited by cause up to `moment`, which is in the step or its end."""
        waited = dict(before)
        since = moment - self.start
        waited[Cause.INSTRUCTION_FETCH] += min(self.stalls[0], since)
        since -= self.held - sum(self.stalls[1:])
        for cause, cycles in zip(STALL_CAUSES[1:], self.stalls[1:], strict=True):
            waited[cause] += min(max(since, 0), cycles)
            since -= cycles
        waited[self.cause] += max(since, 0)
        return waited


class Decoder:
    """The decoder's time, and how long it had waited for each cause at any moment."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.steps: list[_Step] = []
        self.waited = [dict.fromkeys(WAITS, 0)]  # before each step

    def advance(self, held: int, stalls: list[int], until: int, cause: Cause) -> None:
        """Held for some cycles, `stalls` among them, then waiting up to `until` (if that is
        later) for `cause`."""
        step = _Step(self.now, held, stalls, max(self.now + held, until), cause)
        self.now = step.end
        self.steps.append(step)
        self.waited.append(step.waited_until(step.end, self.waited[-1]))

    def waited_until(self, moment: int, step: int) -> tuple[dict[Cause, int], int]:
        """Cycles waited by cause up to `moment`, searching from `step`; and the step it is in."""
        while step < len(self.steps) and self.steps[step].end <= moment:
            step += 1
        if step == len(self.steps):
            return self.waited[step], step
        return self.steps[step].waited_until(moment, self.waited[step]), step
