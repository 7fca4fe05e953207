"""What the command line answers: stops, frames, tasks, variables, memory, code, as text.

Comes in: a session.  Goes out: lines of text.  Nothing moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl.layout import SPECIALS
from zhisuan.debug.session import Session
from zhisuan.debug.stop import Reason, Stop
from zhisuan.debug.symbols import Place
from zhisuan.debug.tasks import Phase
from zhisuan.debug.values import (
    FLOATING,
    InMemory,
    Value,
    decoded,
    number_text,
    show_address,
)
from zhisuan.isa import debug_query
from zhisuan.isa.debug_query import CallFrame
from zhisuan.isa.disasm import format_instruction
from zhisuan.isa.number import signed64
from zhisuan.isa.registry import REGISTERS

LINES = 10
_PHASES = {Phase.READY: "", Phase.WAITING: ", waits at a barrier", Phase.ENDED: ", ended"}
_SIZES = {"b": 1, "h": 2, "w": 4, "g": 8}


def stop_text(session: Session, stop: Stop) -> str:
    """Why and where, and the source line."""
    if stop.reason is Reason.END:
        return f"{session.launch.text}: {stop.text}"
    place, *line = _at(session, session.frames()[0])
    who = f"{_who(session, stop.index)}, {place}"
    heads = {
        Reason.ENTRY: f"{stop.text}: {len(session.tasks)} tasks on the chip\n{who}",
        Reason.BREAKPOINT: f"Breakpoint {', '.join(map(str, stop.breakpoints))}, {who}",
        Reason.WATCHPOINT: f"{stop.text}\n{who}",
        Reason.STEP: who,
        Reason.FAULT: f"Fault, {who}: {stop.text}",
        Reason.PAUSE: f"Interrupted, {who}",
        Reason.BEGINNING: f"{stop.text}\n{who}",
    }
    lines = [heads[stop.reason]]
    if stop.error is not None:
        for word, text in (("expected", stop.error.expected), ("found", stop.error.found)):
            if text:
                lines += [f"  {word + ':':<10}" + text.replace("\n", "\n            ")]
    if stop.reason is Reason.STEP and stop.text:
        lines[0] += f": {stop.text}"
    return "\n".join([*lines, *line])


def _who(session: Session, index: int) -> str:
    return f"{session.name_of(index)} (task {session.tasks.task(index).number})"


def _at(session: Session, frame: CallFrame) -> Iterator[str]:
    file, line = frame.place
    if file < 0:
        yield f"{frame.function or '?'}, pc {frame.pc}: {instruction(session, frame.pc)}"
        return
    text = session.symbols.line_text(Place(file, line))
    yield f"{frame.function} at {session.launch.program.files[file]}:{line}"
    yield f"{line:<6}{text}" if text else f"{line:<6}(the source file is not here)"


def where_text(session: Session) -> str:
    """The task in focus and where it is."""
    phase = session.tasks.phases[session.focus]
    state = "" if phase is Phase.READY else f", {phase.value}"
    lines = _at(session, session.frames()[session.frame])
    return "\n".join([_who(session, session.focus) + state, *lines])


def builtins_text(session: Session) -> str:
    """`taskId` and its kin."""
    special = session.task().special
    return "\n".join(f"{name} = {special[number]}" for name, number in SPECIALS.items())


def frame_text(session: Session) -> str:
    """The selected frame with its line."""
    frame = session.frames()[session.frame]
    return f"#{session.frame}  " + "\n".join(_at(session, frame))


def backtrace(session: Session) -> str:
    lines = []
    for number, frame in enumerate(session.frames()):
        mark = "*" if number == session.frame else " "
        given = ", ".join(_arguments(session, number, frame))
        name = frame.function or "?"
        inlined = " (inlined)" if frame.is_inlined else ""
        lines.append(f"{mark}#{number:<3}{name}({given}) at {place_text(session, frame)}{inlined}")
    return "\n".join(lines)


def place_text(session: Session, frame: CallFrame) -> str:
    file, line = frame.place
    return f"{session.launch.program.files[file]}:{line}" if file >= 0 else f"pc {frame.pc}"


def _arguments(session: Session, number: int, frame: CallFrame) -> Iterator[str]:
    evaluator = session.evaluator(session.focus, number)
    for name, value in variables(session, number, True):
        yield f"{name}={evaluator.reader.text(value)}"


def variables(
    session: Session, frame: int, arguments: bool | None, index: int | None = None
) -> list[tuple[str, Value]]:
    """Names and values of a frame's arguments, of its other variables, or of both; a kernel
    without debug information still has its arguments."""
    evaluator = session.evaluator(session.focus if index is None else index, frame)
    here = evaluator.scope.frame
    found = {}
    for local in debug_query.locals_at(session.launch.program, here.pc, here.scopes):
        if arguments is None or bool(local.variable.argument) == arguments:
            found[local.name] = evaluator.located(local.type, local.location)
    if session.launch.program.debug is None and arguments is not False:
        kernel = session.launch.program.kernels.get(here.function)
        for parameter in kernel.parameters if kernel else ():
            found[parameter.name] = evaluator.value(parameter.name)
    return list(found.items())


def variable_lines(session: Session, arguments: bool) -> str:
    reader = session.evaluator().reader
    found = variables(session, session.frame, arguments)
    word = "arguments" if arguments else "locals"
    if not found and session.launch.program.debug is None:
        return f"no {word} are known: compile with -g"
    return "\n".join(f"{name} = {reader.text(value)}" for name, value in found) or f"no {word}"


def printed(session: Session, text: str, form: str = "") -> str:
    """`expression = value`."""
    evaluator = session.evaluator()
    value = evaluator.value(text)
    rows = evaluator.reader.rows(value, form)
    return f"{text} = {rows}" if "\n" not in rows else f"{text} =\n{rows}"


def tasks_text(session: Session) -> str:
    """A line for each task on the chip."""
    lines = []
    tasks = session.tasks
    for index in range(len(tasks)):
        task, pc = tasks.task(index), tasks.pc(index)
        mark = "*" if index == session.focus else " "
        span = session.symbols.function_at(pc)
        state = _PHASES[tasks.phases[index]]
        place = f"{span.name if span else '?'} at {session.symbols.show(pc)}"
        who = f"{session.name_of(index):<14} task {task.number:<5} cluster {task.cluster}"
        lines.append(f"{mark} {who}  {place}{state}")
    waves = len(tasks.waves)
    if waves > 1:
        lines.append(f"wave {tasks.wave + 1} of {waves}: the other tasks come before or after")
    return "\n".join(lines)


def registers_text(session: Session, names: list[str]) -> str:
    frame = session.frames()[session.frame]
    wanted = [int(name.lstrip("$r")) for name in names] if names else range(REGISTERS)
    lines = [f"pc   {frame.pc:>20}  {instruction(session, frame.pc)}"] if not names else []
    for number in wanted:
        bits = frame.registers[number]
        if names or bits:
            lines.append(f"${number:<3} {signed64(bits):>20}  {bits:#x}")
    if not names:
        lines.append("all others are 0")
    return "\n".join(lines)


def instruction(session: Session, pc: int) -> str:
    words = session.launch.program.words
    if not 0 <= pc < len(words):
        return "outside of the program"
    return " ".join(format_instruction(int(words[pc]), pc, session.launch.program.labels).split())


def disassembly(session: Session, first: int, last: int) -> str:
    """Instructions with the lines they come from; `=>` marks the next one."""
    lines: list[str] = []
    here = session.frames()[session.frame].pc
    before: Place | None = None
    for pc in range(max(first, 0), min(last, session.symbols.words)):
        place = session.symbols.place(pc)
        if place is not None and place != before:
            lines.append(f"{place.line:<6}{session.symbols.line_text(place).strip()}")
            before = place
        mark = "=>" if pc == here else "  "
        lines.append(f"  {mark} {pc:>5}  {instruction(session, pc)}")
    return "\n".join(lines) or "no instructions there"


def source_lines(session: Session, file: int, first: int, last: int) -> str:
    text = session.symbols.text(file)
    if text is None:
        raise ZhisuanError(f"the source file {session.launch.program.files[file]} is not here")
    if first > len(text):
        raise ZhisuanError(f"there are only {len(text)} lines")
    here = session.frames()[session.frame].place
    return "\n".join(
        f"{'>' if (file, line) == here else ' '}{line:<6}{text[line - 1]}"
        for line in range(max(first, 1), min(last, len(text) + 1))
    )


def memory_text(session: Session, form: str, where: str) -> str:
    """gdb's `x/COUNT FORMAT SIZE`: that many numbers from an address on."""
    match = re.fullmatch(r"(\d*)([xduotcfisbhwg]*)", form)
    if match is None:
        raise ZhisuanError(f"'/{form}' is no format", expected="such as /16fw, /8xb, /4i")
    count = int(match[1] or 1)
    letters = match[2]
    shape = next((letter for letter in letters if letter in "xduotcfis"), "x")
    evaluator = session.evaluator()
    value = evaluator.value(where)
    address = (
        value.where.address
        if isinstance(value.where, InMemory) and evaluator.scope.types.kind_of(value.type) is None
        else int(evaluator.reader.number(value))
    )
    if shape == "i":
        return disassembly(session, address, address + count)
    size = next((_SIZES[letter] for letter in letters if letter in _SIZES), 4)
    if shape == "s":
        raw = session.memory().read(address, np.uint8, 256 if count == 1 else count).tobytes()
        return f"{address:#x}: {raw.partition(bytes(1))[0]!r}"
    kind = {2: "f16", 4: "f32", 8: "f64"}.get(size, "f32") if shape == "f" else f"i{8 * size}"
    size = {"f16": 2, "f64": 8}.get(kind, 4) if kind in FLOATING else size
    raw = session.memory().read(address, np.uint8, count * size)
    texts = [number_text(n.item(), kind, shape if shape != "f" else "") for n in decoded(raw, kind)]
    width = max(map(len, texts))
    each = max(1, min(16 // size, 72 // (width + 2)) if shape != "f" else 8)
    return "\n".join(
        f"{show_address(address + at * size)}:  "
        + "  ".join(text.rjust(width) for text in texts[at : at + each])
        for at in range(0, count, each)
    )


def arrays_text(session: Session) -> str:
    """The named arrays of the program, by memory."""
    lines = []
    for array in session.launch.program.arrays:
        size = f"{array.size:,} bytes" if array.size else "all that is left"
        lines.append(f"{array.name:<20} {show_address(array.address)}  {size}")
    return "\n".join(lines) or "the program names no arrays"
