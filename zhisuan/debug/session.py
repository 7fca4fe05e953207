"""A debugging session over one launch: what both front ends ask for.

Comes in: a launch, breakpoints, orders of the user.  Goes out: why the launch stands still, and
where.  One task is in focus; steps move it, and others only as far as it waits for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.breakpoints import Breakpoint, Breakpoints
from zhisuan.debug.evaluate import Evaluator, Scope
from zhisuan.debug.launch import Launch
from zhisuan.debug.motion import End, Interrupted, Motion
from zhisuan.debug.stepping import Stepper, instruction_back
from zhisuan.debug.stop import Reason, Stop
from zhisuan.debug.symbols import Symbols
from zhisuan.debug.tasks import Phase
from zhisuan.debug.types import Types
from zhisuan.debug.values import FLOATING, Bits, InMemory, InRegister, Value, bytes_for
from zhisuan.debug.watch import Watch, Watches
from zhisuan.isa import debug_query
from zhisuan.isa.debug_query import CallFrame
from zhisuan.isa.number import MASK64
from zhisuan.isa.registry import STACK_POINTER
from zhisuan.sim.execute import located_fault
from zhisuan.sim.fault import Fault
from zhisuan.sim.memory import Memory
from zhisuan.sim.tasks import Task

_Order = Callable[[], int | None]
_BEGIN = "nothing happened before: the launch begins here"


class Session:
    """`tell` takes texts of kernels' printf and of breakpoints that only tell something."""

    def __init__(
        self, launch: Launch, breakpoints: Breakpoints | None = None,
        tell: Callable[[str], object] = sys.stdout.write,
    ) -> None:  # fmt: skip
        self.launch = launch
        self.symbols = Symbols(launch.program, launch.folders)
        self.breakpoints = breakpoints if breakpoints is not None else Breakpoints()
        self.breakpoints.look_up(self.symbols)
        self.motion = Motion(launch)
        self.tasks = self.motion.tasks
        self.tell = tell
        self.is_running = False
        self.focus = 0
        self.frame = 0
        self.last = Stop(Reason.ENTRY, 0, text=f"{launch.text} begins")
        self._hit: tuple[int, ...] = ()
        self.motion.history.tell = tell
        self.types = Types(launch.program.debug)

    # -- orders -------------------------------------------------------------------------------

    def go_on(self) -> Stop:
        """Forwards to the next breakpoint, fault, or the end."""
        return self._forward(
            lambda: self.motion.forward(self._halts, self._at_breakpoint), Reason.BREAKPOINT
        )

    def step(self, over: bool = False, by_instruction: bool = False) -> Stop:
        """The task in focus, to its next line or instruction; over calls or into them."""
        if self._focus_ended():
            return self.go_on()
        stepper = self._stepper(over)
        return self._forward(stepper.instruction if by_instruction else stepper.line, Reason.STEP)

    def finish(self) -> Stop:
        """The task in focus, to where the selected frame's function returns."""
        frames = self.frames()
        frame = frames[self.frame]
        if frame.is_inlined:
            inside = np.zeros(self.symbols.words, bool)
            for start, end in frame.scopes[0].ranges:
                inside[start:end] = True
            return self._forward(lambda: self._stepper(True).out_of(inside), Reason.STEP)
        outer = self.check_caller()
        assert outer is not None and frame.base is not None
        stack, back = frame.base, outer.pc + 1
        return self._forward(lambda: self._stepper(True).to(back, stack), Reason.STEP)

    def check_caller(self) -> CallFrame | None:
        """The frame that the selected one's function was called from, None where it is inlined;
        an error where none is known."""
        frames = self.frames()
        frame = frames[self.frame]
        outer = next((f for f in frames[self.frame + 1 :] if f.base != frame.base), None)
        if frame.is_inlined:
            return None
        if outer is None or frame.base is None:
            raise ZhisuanError(
                "the function has no known caller",
                hint="continue" if self.launch.program.debug else "compile with -g",
            )
        return outer

    def run_to(self, where: str) -> Stop:
        """Forwards until the task in focus comes to a place."""
        made = self.breakpoints.add(self.symbols, where, temporary=True, task=self.task().number)
        stop = self.go_on()
        self.breakpoints.items.pop(made.number, None)
        return stop

    def finish_back(self) -> Stop:
        """Backwards to the call of the selected frame's function."""
        frames = self.frames()
        frame = frames[self.frame]
        outer = next((f for f in frames[self.frame + 1 :] if f.base != frame.base), None)
        if outer is None or frame.base is None:
            return self.back()
        index, call, stack = self.focus, outer.pc, frame.base
        mask = np.zeros(self.symbols.words, bool)
        mask[call] = True

        def counts(stopped: int) -> bool:
            return self.tasks.state_of(stopped).registers[STACK_POINTER] == stack

        return self._backward(
            lambda: self.motion.backward(lambda i: mask if i == index else None, counts),
            Reason.STEP,
        )

    def back(self) -> Stop:
        """Backwards to the last breakpoint, or the beginning."""
        return self._backward(
            lambda: self.motion.backward(self._halts, self._at_breakpoint), Reason.BREAKPOINT
        )

    def step_back(self, over: bool = False, by_instruction: bool = False) -> Stop:
        """The task in focus, to where it came to this line, or to the line before; or to its last
        instruction."""
        if by_instruction:
            return self._backward(self._instruction_back, Reason.STEP)
        functions = {frame.function for frame in self.frames()} if over else None
        names = {span.name for span in self.symbols.functions}
        known = functions & names if functions is not None else None
        stepper = Stepper(self.motion, self.symbols, self.focus, over, _nowhere, _never)
        return self._backward(lambda: stepper.line_back(known), Reason.STEP)

    def raise_fault(self) -> None:
        """The error of the fault that the launch stands at, as a run without debugger raises it."""
        if self.last.reason is Reason.FAULT and self.last.error is not None:
            launch, fault = self.launch, Fault(self.last.error, self.tasks.pc(self.focus))
            raise located_fault(fault, launch.program, launch.kernel, launch.dims, self.task())

    def go_to(self, moment: int) -> Stop:
        """To a moment that was reached before."""
        latest = self.motion.history.latest
        if not 0 <= moment <= latest:
            raise ZhisuanError("no such moment", expected=f"from 0 to {latest}", found=str(moment))
        self.motion.travel(moment)
        return self._stopped(Stop(Reason.STEP, min(self.focus, len(self.tasks) - 1)))

    def interrupt(self) -> None:
        """From another thread or a signal: stop soon."""
        self.motion.interrupt()

    def select(self, index: int) -> None:
        """Look at another task, and step it from now on."""
        self.focus, self.frame = index, 0

    @property
    def watches(self) -> Watches:
        return self.motion.watches

    def watch(self, text: str, *, reads: bool = False, writes: bool = True) -> Watch:
        """Stop where instructions read or change what an expression means now."""
        value = self.evaluator().value(text)
        return self.watch_value(self.focus, text, value, reads=reads, writes=writes)

    def watch_value(
        self, index: int, text: str, value: Value, *, reads: bool, writes: bool
    ) -> Watch:
        """As `watch`, of a value in the memories of a task."""
        reader, memory = self.evaluator(index).reader, self.memory(index)
        address, size = reader.address(value), self.types.size_of(value.type)
        if not size:
            raise ZhisuanError(f"'{text}' has no size", hint="watch a[0:16]")
        number = self.breakpoints.take_number()
        made = Watch(number, text, value, address, size, memory, reads, writes)
        made.contents()
        self.watches.items[made.number] = made
        return made

    def poke(self, index: int, address: int, raw: bytes) -> None:
        """Change memory as a task sees it; the future that was known is forgotten."""
        self.memory(index).write(address, np.frombuffer(raw, np.uint8))
        self.motion.cut()

    def assign(self, text: str, index: int | None = None, frame: int | None = None) -> bool:
        """`name = value`; whether that cut off a future that was known."""
        evaluator = self.evaluator(index, frame)
        index = self.focus if index is None else index
        value, number = evaluator.target(text)
        kind = self.types.kind_of(value.type)
        if kind is None:
            raise ZhisuanError("only numbers and pointers can be changed")
        raw = bytes_for(number, kind)
        match value.where:
            case InMemory(address) if value.bits is None:
                self.memory(index).write(address, np.frombuffer(raw, np.uint8))
            case InRegister(register):
                state = self.tasks.state_of(index)
                registers = list(state.registers)
                whole = int(number) if kind not in FLOATING else int.from_bytes(raw, "little")
                registers[register] = whole & MASK64
                self.tasks.runs[index].state = replace(state, registers=tuple(registers))
            case _:
                raise ZhisuanError("this cannot be changed: it is in no register of this call and "
                                   "in no memory")  # fmt: skip
        was_past = self.motion.is_past
        self.motion.cut()
        return was_past

    # -- how orders are carried out -----------------------------------------------------------

    def _stepper(self, over: bool) -> Stepper:
        return Stepper(
            self.motion, self.symbols, self.focus, over, self._halts, self._at_breakpoint
        )

    def _instruction_back(self) -> int | None:
        return self.focus if instruction_back(self.motion, self.focus) else None

    def _forward(self, order: _Order, reason: Reason) -> Stop:
        self._hit = ()
        self.motion.begin(self.focus)
        self.is_running = True
        wave = self.tasks.wave
        try:
            index = order()
            assert index is not None
            if self.motion.watched:
                return self._stopped(self._watchpoint(index))
            found = Reason.BREAKPOINT if self._hit else reason
            ended = "its task has ended" if self.tasks.phases[index] is Phase.ENDED else ""
            return self._stopped(Stop(found, index, self._hit, ended))
        except End as end:
            if end.fault is not None:
                return self._stopped(self._fault(end))
            index = self.focus if self.tasks.wave == wave else 0
            return self._stopped(Stop(Reason.END, index, text="the launch is over"))
        except Interrupted:
            return self._stopped(Stop(Reason.PAUSE, self._running()))

    def _backward(self, order: _Order, reason: Reason) -> Stop:
        self._hit = ()
        self.motion.begin(self.focus)
        self.is_running = True
        try:
            index = order()
        except Interrupted:
            return self._stopped(Stop(Reason.PAUSE, self._running()))
        if index is None:
            index = min(self.focus, len(self.tasks) - 1)
            return self._stopped(Stop(Reason.BEGINNING, index, text=_BEGIN))
        if self.motion.watched:
            return self._stopped(self._watchpoint(index))
        return self._stopped(Stop(Reason.BREAKPOINT if self._hit else reason, index, self._hit))

    def _watchpoint(self, index: int) -> Stop:
        """The stop behind an instruction that touched watched memory."""
        reader, lines = self.evaluator(index).reader, []
        for hit in self.motion.watched:
            watch = hit.watch
            texts = [reader.text(Value(watch.value.type, Bits(raw)))
                     for raw in (hit.before, hit.after)]  # fmt: skip
            told = f"{watch.word.capitalize()} {watch.number}: {watch.text}"
            lines.append(f"{told}\nold value = {texts[0]}\nnew value = {texts[1]}"
                         if hit.before != hit.after else f"{told}\nvalue = {texts[1]}")  # fmt: skip
        numbers = tuple(hit.watch.number for hit in self.motion.watched)
        return Stop(Reason.WATCHPOINT, index, numbers, "\n".join(lines))

    def _stopped(self, stop: Stop) -> Stop:
        self.is_running = False
        self.focus, self.frame, self.last = stop.index, 0, stop
        for number in stop.breakpoints:
            known = self.breakpoints.items.get(number)
            if known is not None and known.temporary:
                del self.breakpoints.items[number]
        return stop

    def _fault(self, end: End) -> Stop:
        assert end.fault is not None
        error = end.fault.error
        return Stop(Reason.FAULT, end.index, text=error.what, error=error)

    def _focus_ended(self) -> bool:
        return self.tasks.phases[self.focus] is Phase.ENDED

    def _running(self) -> int:
        """A task that can go on, that in focus if it can."""
        ready = self.tasks.ready()
        return self.focus if self.focus in ready or not ready else ready[0]

    def _halts(self, index: int) -> np.ndarray | None:
        core, task = self.tasks.number_of_core(index), self.tasks.task(index).number
        return self.breakpoints.mask(self.symbols.words, core, task)

    def _at_breakpoint(self, index: int) -> bool:
        """Whether a breakpoint stops a task where it is; counts that it was passed."""
        core, task = self.tasks.number_of_core(index), self.tasks.task(index).number
        found = self.breakpoints.at(self.tasks.pc(index), core, task)
        self._hit = tuple(item.number for item in found if self._is_hit(item, index))
        return bool(self._hit)

    def _is_hit(self, item: Breakpoint, index: int) -> bool:
        if item.condition:
            try:
                if not self.evaluator(index).number(item.condition):
                    return False
            except ZhisuanError as error:
                self.tell(f"breakpoint {item.number}: {error.what}\n")
                return True
        item.hits += 1
        if item.ignore:
            item.ignore -= 1
            return False
        if item.message:
            self.tell(item.message + "\n")
            return False
        return True

    # -- looking around -----------------------------------------------------------------------

    def task(self, index: int | None = None) -> Task:
        return self.tasks.task(self.focus if index is None else index)

    def memory(self, index: int | None = None) -> Memory:
        """The memories as a task sees them."""
        return self.tasks.runs[self.focus if index is None else index].memory

    def frames(self, index: int | None = None) -> list[CallFrame]:
        """The calls that led to where a task is, innermost first."""
        index = self.focus if index is None else index
        memory = self.memory(index)

        def read(address: int, count: int) -> bytes:
            return memory.read(address, np.uint8, count).tobytes()

        state, pc = self.tasks.state_of(index), self.tasks.pc(index)
        program = self.launch.program
        found: list[CallFrame] = []
        try:
            for frame in debug_query.backtrace(program, pc, state.registers, read):
                found.append(frame)
        except ZhisuanError:  # a stack that the program has overwritten
            pass
        if found and found[0].function:
            return found
        span = self.symbols.function_at(pc)
        here = debug_query.place_of(program, pc)
        return [CallFrame(span.name if span else "", pc, here, (), None, state.registers)]

    def evaluator(self, index: int | None = None, frame: int | None = None) -> Evaluator:
        """For expressions in a frame of a task, by default in the innermost one; without a task in
        the selected frame of that in focus."""
        selected = self.frame if index is None and frame is None else frame or 0
        index = self.focus if index is None else index
        frames = self.frames(index)
        chosen = frames[min(selected, len(frames) - 1)]
        innermost = chosen.registers == frames[0].registers
        executed = self.tasks.runs[index].executed
        return Evaluator(
            Scope(
                self.launch.program, self.types, self.memory(index), self.tasks.task(index),
                chosen, self.tasks.number_of_core(index), executed, innermost,
            )
        )  # fmt: skip

    def name_of(self, index: int) -> str:
        """`core 5`, `memory core 1`."""
        number, chip = self.tasks.number_of_core(index), self.launch.machine.chip
        cores = chip.clusters * chip.cores_per_cluster
        return f"core {number}" if number < cores else f"memory core {number - cores}"


def _nowhere(_: int) -> np.ndarray | None:
    return None


def _never(_: int) -> bool:
    return False
