"""Commands that move the launch, and those that say where it is to stop.

Comes in: what stands behind the command.  Goes out: a moved session, changed breakpoints.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.breakpoints import Breakpoint
from zhisuan.debug.commands import command
from zhisuan.debug.stop import Reason, Stop
from zhisuan.debug.terminal import Terminal

_FORWARD, _BACKWARD, _STOPS = "Forwards", "Backwards", "Where to stop"
_OPTIONS = re.compile(r"^(?P<where>.*?)(?:\s+(?:thread\s+|core\s+)(?P<core>\d+))?"
                      r"(?:\s+task\s+(?P<task>\d+))?(?:\s+if\s+(?P<condition>.+))?$")  # fmt: skip


def count_of(text: str) -> int:
    """How often; once unless a number is given."""
    if not text:
        return 1
    if not text.isdecimal() or not int(text):
        raise ZhisuanError(f"'{text}' is no number of times")
    return int(text)


def _times(terminal: Terminal, text: str, move: Callable[[], Stop]) -> None:
    """Move so often, or until something else stops it."""
    for number in range(count_of(text)):
        stop = move()
        if stop.reason is not Reason.STEP or stop.text:
            break
        if number + 1 == count_of(text):
            break
    terminal.tell_stop(stop)


def _move(usage: str, group: str, short: str, doc: str, method: str, **options: bool) -> None:
    def work(terminal: Terminal, rest: str) -> None:
        _times(terminal, rest, lambda: getattr(terminal.session, method)(**options))

    work.__doc__ = doc
    command(usage, group, short)(work)


_move("step [TIMES]", _FORWARD, "s", "To the next line, into calls.", "step")
_move("next [TIMES]", _FORWARD, "n", "To the next line, over calls.", "step", over=True)
_move("stepi [TIMES]", _FORWARD, "si", "One instruction.", "step", by_instruction=True)
_move("nexti [TIMES]", _FORWARD, "ni", "One instruction, over calls.", "step", over=True,
      by_instruction=True)  # fmt: skip


@command("continue [TIMES]", _FORWARD, "c fg")
def go_on(terminal: Terminal, rest: str) -> None:
    """On to the next breakpoint, fault, or the end.  At the end of a launch of a host program, on
    with the program."""
    for _ in range(count_of(rest)):
        over = terminal.session.last.reason in (Reason.END, Reason.FAULT)
        if over and terminal.is_program:
            terminal.leave()
            return
        stop = terminal.session.go_on()
        if stop.reason is not Reason.BREAKPOINT:
            break
    terminal.tell_stop(stop)


@command("finish", _FORWARD, "fin")
def finish(terminal: Terminal, rest: str) -> None:
    """To where the selected function returns."""
    terminal.tell_stop(terminal.session.finish())


@command("until PLACE", _FORWARD, "u advance")
def until(terminal: Terminal, rest: str) -> None:
    """To a place, as break takes them, of the task in focus."""
    if not rest:
        raise ZhisuanError("until where?", hint="until 12")
    terminal.tell_stop(terminal.session.run_to(rest))


@command("run", _FORWARD, "r")
def run(terminal: Terminal, rest: str) -> None:
    """From the beginning of the launch to the first breakpoint."""
    terminal.session.go_to(0)
    terminal.tell_stop(terminal.session.go_on())


_move("reverse-step [TIMES]", _BACKWARD, "rs", "To the line before, into calls.", "step_back")
_move("reverse-next [TIMES]", _BACKWARD, "rn", "To the line before, over calls.", "step_back",
      over=True)  # fmt: skip
_move("reverse-stepi [TIMES]", _BACKWARD, "rsi rni", "Back one instruction.", "step_back",
      by_instruction=True)  # fmt: skip


@command("reverse-continue", _BACKWARD, "rc")
def reverse_continue(terminal: Terminal, rest: str) -> None:
    """Back to the last breakpoint, or to the beginning."""
    terminal.tell_stop(terminal.session.back())


@command("reverse-finish", _BACKWARD, "")
def reverse_finish(terminal: Terminal, rest: str) -> None:
    """Back to the call of the selected function."""
    terminal.tell_stop(terminal.session.finish_back())


@command("moment [NUMBER]", _BACKWARD, "")
def moment(terminal: Terminal, rest: str) -> None:
    """To a moment, counted in instructions of all tasks; without a number, which one it is."""
    if not rest:
        motion = terminal.session.motion
        terminal.say(f"moment {motion.moment:,} of {motion.history.latest:,}")
        return
    number = rest.replace(",", "")
    if not number.isdecimal():
        raise ZhisuanError(f"'{rest}' is no moment")
    terminal.tell_stop(terminal.session.go_to(int(number)))


# -- where to stop --------------------------------------------------------------------------


def _made(terminal: Terminal, rest: str, temporary: bool) -> None:
    session = terminal.session
    match = _OPTIONS.match(rest)
    assert match is not None
    where, condition = match["where"], match["condition"] or ""
    if where.startswith("if "):
        where, condition = "", where[3:] + (f" if {condition}" if condition else "")
    if not where:
        where = f"*{session.frames()[session.frame].pc}"
    made = session.breakpoints.add(
        session.symbols, where, temporary=temporary, condition=condition,
        core=int(match["core"]) if match["core"] else None,
        task=int(match["task"]) if match["task"] else None,
    )  # fmt: skip
    terminal.say(f"{'Temporary b' if temporary else 'B'}reakpoint {_text(terminal, made)}")


def _text(terminal: Terminal, item: Breakpoint) -> str:
    session = terminal.session
    place = session.launch.program.place(item.words[0]) if item.words else f"{item.where}, pending"
    words = ", ".join(map(str, item.words[:4])) + (", …" if len(item.words) > 4 else "")
    text = f"{item.number} at {place}" + (f" (pc {words})" if item.words else "")
    text += f", core {item.core}" if item.core is not None else ""
    text += f", task {item.task}" if item.task is not None else ""
    return text + (f", if {item.condition}" if item.condition else "")


@command("break [PLACE] [core N] [task N] [if CONDITION]", _STOPS, "b br brea")
def break_at(terminal: Terminal, rest: str) -> None:
    """Stop there: LINE, FILE:LINE, FUNCTION, or *PC.  Only on a core, only for a task, only if a
    condition holds."""
    _made(terminal, rest, temporary=False)


@command("tbreak [PLACE] …", _STOPS, "tb")
def tbreak(terminal: Terminal, rest: str) -> None:
    """As break, once."""
    _made(terminal, rest, temporary=True)


def _numbered(terminal: Terminal, text: str) -> Breakpoint:
    items = terminal.session.breakpoints.items
    if not text.isdecimal() or int(text) not in items:
        raise ZhisuanError(f"there is no breakpoint '{text}'",
                           expected=", ".join(map(str, items)) or "none was made")  # fmt: skip
    return items[int(text)]


@command("condition NUMBER [CONDITION]", _STOPS, "cond")
def condition(terminal: Terminal, rest: str) -> None:
    """Let a breakpoint stop only if this holds; without it always."""
    number, _, text = rest.partition(" ")
    _numbered(terminal, number).condition = text.strip()


@command("ignore NUMBER TIMES", _STOPS, "")
def ignore(terminal: Terminal, rest: str) -> None:
    """Pass a breakpoint so many times without stopping."""
    number, _, times = rest.partition(" ")
    if not times.strip().isdecimal():
        raise ZhisuanError("ignore how often?", hint="ignore 1 10")
    _numbered(terminal, number).ignore = int(times)


@command("delete [NUMBERS]", _STOPS, "d del")
def delete(terminal: Terminal, rest: str) -> None:
    """Remove breakpoints and watchpoints, without numbers all of them."""
    items = terminal.session.breakpoints.items
    watches = terminal.session.watches
    for word in rest.split():
        if word.isdecimal() and int(word) in watches.items:
            del watches.items[int(word)]
        else:
            del items[_numbered(terminal, word).number]
    if not rest:
        items.clear()
        watches.items.clear()


def _enabling(on: bool) -> Callable[[Terminal, str], None]:
    def work(terminal: Terminal, rest: str) -> None:
        items = terminal.session.breakpoints.items
        for item in [_numbered(terminal, word) for word in rest.split()] or items.values():
            item.enabled = on

    work.__doc__ = f"Let breakpoints {'' if on else 'not '}stop."
    return work


command("enable [NUMBERS]", _STOPS)(_enabling(True))
command("disable [NUMBERS]", _STOPS)(_enabling(False))


def _watching(reads: bool, writes: bool, doc: str) -> Callable[[Terminal, str], None]:
    def work(terminal: Terminal, rest: str) -> None:
        if not rest:
            raise ZhisuanError("watch what?", hint="watch out[0], or watch a[0:16]")
        made = terminal.session.watch(rest, reads=reads, writes=writes)
        terminal.say(f"Watchpoint {made.number}: {made.text}, {made.size:,} bytes")

    work.__doc__ = doc
    return work


command("watch EXPRESSION", _STOPS, "wa")(_watching(False, True, "Stop where memory changes."))
command("rwatch EXPRESSION", _STOPS)(_watching(True, False, "Stop where memory is read."))
command("awatch EXPRESSION", _STOPS)(_watching(True, True, "Stop where memory is read or changes."))


def breakpoints(terminal: Terminal) -> None:
    """All of them, and what was watched."""
    session = terminal.session
    lines = []
    for item in session.breakpoints.items.values():
        state = "" if item.enabled else ", disabled"
        times = f", hit {item.hits} time{'s' * (item.hits != 1)}" if item.hits else ""
        lines.append(f"breakpoint {_text(terminal, item)}{times}{state}")
    for watch in session.watches.items.values():
        lines.append(f"{watch.word} {watch.number}: {watch.text}, {watch.size:,} bytes")
    terminal.say("\n".join(lines) or "no breakpoints and no watchpoints")
