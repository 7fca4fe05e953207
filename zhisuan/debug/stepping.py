"""Steps of one task: by instructions, by lines, over calls, out of functions; and backwards.

Comes in: the launch in motion and the task.  Goes out: the launch after the step.  Breakpoints stop
a step forwards, as `halts` says.  Words without a line belong to the line before them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zhisuan.debug.motion import Motion
from zhisuan.debug.symbols import Symbols
from zhisuan.isa.registry import LINK_REGISTER, STACK_POINTER

Halts = Callable[[int], np.ndarray | None]
"""Of a task: the words of breakpoints."""
Hit = Callable[[int], bool]
"""Whether a task that stopped stands at a breakpoint that stops it."""


@dataclass
class _Return:
    """Where a call that is stepped over returns to."""

    pc: int
    stack: int


class Stepper:
    """Steps of task `index`; `over` calls or into them."""

    def __init__(
        self, motion: Motion, symbols: Symbols, index: int, over: bool, halts: Halts, hit: Hit
    ) -> None:
        self._motion, self._symbols, self.index, self._over = motion, symbols, index, over
        self._halts, self._hit = halts, hit
        self._line = np.zeros(0, bool)
        self._mask = np.zeros(0, bool)
        self._back: _Return | None = None
        self._deepest = ("", 0)

    # -- what stops ---------------------------------------------------------------------------

    def _stops(self, index: int) -> np.ndarray | None:
        halts = self._halts(index)
        if index != self.index:
            return halts
        return self._mask if halts is None else self._mask | halts

    def _only(self, pc: int) -> np.ndarray:
        mask = np.zeros(self._symbols.words, bool)
        mask[pc] = True
        return mask

    def _leave_line(self) -> None:
        """Stop where the line ends in which the task is."""
        pc = self._motion.tasks.pc(self.index)
        span = self._symbols.function_at(pc)
        if span is not None and span.start <= pc < span.body:
            self._line, self._mask = self._only(pc), self._only(span.body)
            return
        self._line = self._symbols.same_line(pc)
        if self._over and span is not None:
            inner = self._symbols.inlined > self._symbols.inlined[pc]
            self._line[span.start : span.end] |= inner[span.start : span.end]
        self._mask = ~self._line

    def _counts(self, index: int) -> bool:
        """Whether a stop ends the step; prepares the next one where it does not."""
        if self._hit(index):
            return True
        if index != self.index:
            return False
        state = self._motion.tasks.state_of(index)
        back = self._back
        if back is not None:
            if state.pc != back.pc or state.registers[STACK_POINTER] != back.stack:
                return False
            self._back = None
            self._mask = ~self._line
            return not self._line[state.pc]
        if not self._mask[state.pc]:
            return False  # a breakpoint's word whose condition is false
        span = self._symbols.function_at(state.pc)
        link = state.registers[LINK_REGISTER]
        if span is not None and state.pc == span.start and self._symbols.is_call(link - 1):
            if self._over or self._symbols.place(span.body) is None:
                self._back = _Return(link, state.registers[STACK_POINTER])
                self._mask = self._only(link)
                return False
            if span.body > state.pc:
                self._mask = self._only(span.body)
                return False
        return True

    # -- forwards -----------------------------------------------------------------------------

    def line(self) -> int | None:
        """To the next line; the task that stopped."""
        self._leave_line()
        return self._motion.forward(self._stops, self._counts, prefer=self.index)

    def instruction(self) -> int | None:
        pc = self._motion.tasks.pc(self.index)
        self._line = self._only(pc)
        self._mask = ~np.zeros(self._symbols.words, bool)
        if not self._over:
            return self._motion.forward(self._stops, lambda i: i == self.index or self._hit(i),
                                        prefer=self.index)  # fmt: skip
        return self._motion.forward(self._stops, self._counts, prefer=self.index)

    def out_of(self, inside: np.ndarray) -> int | None:
        """To the first word that is not among these."""
        self._line, self._mask = inside, ~inside
        return self._motion.forward(self._stops, self._counts, prefer=self.index)

    def to(self, pc: int, stack: int) -> int | None:
        """To a word, once the stack is there: out of a function."""
        self._mask = self._only(pc)

        def counts(index: int) -> bool:
            state = self._motion.tasks.state_of(index)
            here = index == self.index and (state.pc, state.registers[STACK_POINTER])
            return here == (pc, stack) or self._hit(index)

        return self._motion.forward(self._stops, counts, prefer=self.index)

    # -- backwards ----------------------------------------------------------------------------

    def line_back(self, functions: set[str] | None) -> int | None:
        """To where the task came to the line that it is in, or to the one before, within the
        `functions`; None where it only begins."""
        floor = self._motion.history.first(self.index)
        pc = self._motion.tasks.pc(self.index)
        here = self._symbols.function_at(pc)
        self._deepest = (here.name, self._symbols.inlined[pc]) if functions and here else ("", 0)
        if self._motion.moment <= floor:
            return None
        found = self._motion.search(lambda until: self._last_line(functions, until), floor)
        return self.index if found is None else found

    def _last_line(self, functions: set[str] | None, until: int) -> tuple[int, int] | None:
        found: tuple[int, int] | None = None
        while self._motion.moment < until:
            self._leave_line()
            self._back = None
            index = self._motion.forward(self._stops, self._counts, until=until)
            if index is None or self._motion.moment >= until:
                break
            if self._is_wanted(functions):
                found = self._motion.moment, index
        return found

    def _is_wanted(self, functions: set[str] | None) -> bool:
        """Whether the line is in one of these functions, not deeper in what is inlined there."""
        pc = self._motion.tasks.pc(self.index)
        span = self._symbols.function_at(pc)
        if functions is None or span is None:
            return True
        name, depth = self._deepest
        return span.name in functions and (span.name != name or self._symbols.inlined[pc] <= depth)


def instruction_back(motion: Motion, index: int) -> bool:
    """To before the last instruction of a task; false where there is none."""
    moment = motion.history.before(index)
    if moment is None:
        return False
    motion.travel(moment)
    return True
