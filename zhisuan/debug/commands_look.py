"""Commands that show something, choose what is looked at, or change a variable.

Comes in: what stands behind the command.  Goes out: text.
"""

from __future__ import annotations

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug import answers, commands_move
from zhisuan.debug.breakpoints import find
from zhisuan.debug.commands import command, help_text
from zhisuan.debug.stop import Left
from zhisuan.debug.terminal import Terminal

_LOOK, _CHOOSE, _OTHER = "Looking around", "Choosing", "Others"


def _form(rest: str) -> tuple[str, str]:
    """`/x name` → `x`, `name`."""
    if not rest.startswith("/"):
        return "", rest
    form, _, text = rest[1:].partition(" ")
    return form, text.strip()


@command("print[/FORM] EXPRESSION", _LOOK, "p inspect")
def print_value(terminal: Terminal, rest: str) -> None:
    """A value: C's expressions, a[0:16], *p@16, and `as TYPE`, such as a[0:64] as half[8][8].
    FORM is x, d, u, o, t or c."""
    form, text = _form(rest)
    if not text:
        raise ZhisuanError("print what?", hint="print n, or print a[0:16]")
    terminal.say(answers.printed(terminal.session, text, form))


@command("x/FORM ADDRESS", _LOOK, "")
def examine(terminal: Terminal, rest: str) -> None:
    """Memory: /COUNT, one of x d u f i s, one of b h w g; x/16fh a is 16 half, x/8i 0 are
    instructions."""
    form, text = _form(rest)
    if not text:
        raise ZhisuanError("which address?", hint="x/16fw a")
    terminal.say(answers.memory_text(terminal.session, form, text))


@command("info WHAT", _LOOK, "i")
def info(terminal: Terminal, rest: str) -> None:
    """locals, args, registers [$1 …], cores (or threads, tasks), breakpoints, arrays, frame,
    display, moment, builtins."""
    word, _, more = rest.partition(" ")
    session = terminal.session
    shown = {
        "locals": lambda: answers.variable_lines(session, False),
        "args": lambda: answers.variable_lines(session, True),
        "registers": lambda: answers.registers_text(session, more.split()),
        "cores": lambda: answers.tasks_text(session),
        "threads": lambda: answers.tasks_text(session),
        "tasks": lambda: answers.tasks_text(session),
        "arrays": lambda: answers.arrays_text(session),
        "frame": lambda: answers.frame_text(session),
        "builtins": lambda: answers.builtins_text(session),
    }
    others = {
        "breakpoints": lambda: commands_move.breakpoints(terminal),
        "watchpoints": lambda: commands_move.breakpoints(terminal),
        "moment": lambda: commands_move.moment(terminal, ""),
        "display": lambda: _displays(terminal),
    }
    names = [name for name in (*shown, *others) if name.startswith(word)] if word else []
    if not names:
        raise ZhisuanError("info about what?", expected=", ".join((*shown, *others)))
    name = word if word in names else names[0]
    if name in shown:
        terminal.say(shown[name]())
    else:
        others[name]()


@command("backtrace", _LOOK, "bt where")
def backtrace(terminal: Terminal, rest: str) -> None:
    """The calls that led here."""
    terminal.say(answers.backtrace(terminal.session))


@command("list [LINE or FUNCTION]", _LOOK, "l")
def list_lines(terminal: Terminal, rest: str) -> None:
    """Source lines around a place, or the next ten."""
    session = terminal.session
    if rest:
        file, _, line = rest.rpartition(":")
        if line.isdecimal():
            middle = (session.symbols.file_number(file) if file else _file(terminal), int(line))
        else:
            place = find(session.symbols, rest)[2]
            if place is None:
                raise ZhisuanError(f"'{rest}' has no line")
            middle = place.file, place.line
        terminal.listed = None
    elif terminal.listed is None:
        middle = session.frames()[session.frame].place
    else:
        middle = terminal.listed[0], terminal.listed[1] + answers.LINES // 2
    if middle[0] < 0:
        raise ZhisuanError("this instruction comes from no line", hint="disassemble")
    first = max(middle[1] - answers.LINES // 2, 1)
    terminal.say(answers.source_lines(session, middle[0], first, first + answers.LINES))
    terminal.listed = middle[0], first + answers.LINES


def _file(terminal: Terminal) -> int:
    return max(terminal.session.frames()[terminal.session.frame].place[0], 0)


@command("disassemble [FIRST[,LAST]]", _LOOK, "disas")
def disassemble(terminal: Terminal, rest: str) -> None:
    """Instructions around the next one, of a function, or from one to another."""
    session = terminal.session
    pc = session.frames()[session.frame].pc
    first, _, last = rest.partition(",")
    span = session.symbols.function(rest) if rest else None
    if span is not None:
        terminal.say(answers.disassembly(session, span.start, span.end))
        return
    numbers = [int(session.evaluator().number(text)) for text in (first, last) if text.strip()]
    start = numbers[0] if numbers else pc - 5
    end = numbers[1] if len(numbers) > 1 else start + 12
    terminal.say(answers.disassembly(session, start, end))


@command("display [EXPRESSION]", _LOOK, "")
def display(terminal: Terminal, rest: str) -> None:
    """Print a value at each stop."""
    if not rest:
        terminal.show_displays()
        return
    settings = terminal.settings
    terminal.say(f"{settings.next_display}: " + answers.printed(terminal.session, rest))
    settings.displays[settings.next_display] = rest
    settings.next_display += 1


@command("undisplay [NUMBER]", _LOOK, "")
def undisplay(terminal: Terminal, rest: str) -> None:
    """Print it no more."""
    if rest and (not rest.isdecimal() or int(rest) not in terminal.settings.displays):
        raise ZhisuanError(f"there is no display '{rest}'")
    for number in [int(rest)] if rest else list(terminal.settings.displays):
        del terminal.settings.displays[number]


def _displays(terminal: Terminal) -> None:
    texts = [f"{number}: {text}" for number, text in terminal.settings.displays.items()]
    terminal.say("\n".join(texts) or "nothing is displayed")


# -- choosing -------------------------------------------------------------------------------


def _select(terminal: Terminal, matches: list[int], what: str) -> None:
    if not matches:
        raise ZhisuanError(f"there is no {what} on the chip now", hint="info cores")
    terminal.session.select(matches[0])
    terminal.listed = None
    terminal.say(answers.where_text(terminal.session))


@command("core [NUMBER]", _CHOOSE, "thread t")
def core(terminal: Terminal, rest: str) -> None:
    """Look at another core, and step it from now on; memory cores are m0, m1, …"""
    session = terminal.session
    if not rest:
        terminal.say(answers.where_text(session))
        return
    name = f"memory core {rest[1:]}" if rest.startswith("m") else f"core {rest}"
    found = [index for index in range(len(session.tasks)) if session.name_of(index) == name]
    _select(terminal, found, name)


@command("task NUMBER", _CHOOSE, "")
def task(terminal: Terminal, rest: str) -> None:
    """Look at the core that runs a task, and step it from now on."""
    tasks = terminal.session.tasks
    found = [index for index in range(len(tasks)) if str(tasks.task(index).number) == rest]
    _select(terminal, found, f"task {rest}")


@command("frame [NUMBER]", _CHOOSE, "f")
def frame(terminal: Terminal, rest: str) -> None:
    """Look at one of the calls of the backtrace."""
    session = terminal.session
    if rest:
        frames = session.frames()
        if not rest.isdecimal() or int(rest) >= len(frames):
            raise ZhisuanError(f"there is no frame '{rest}'", expected=f"0 to {len(frames) - 1}")
        session.frame = int(rest)
    terminal.listed = None
    terminal.say(answers.frame_text(session))


@command("up", _CHOOSE, "")
def up(terminal: Terminal, rest: str) -> None:
    """Look at the caller."""
    frame(terminal, str(terminal.session.frame + commands_move.count_of(rest)))


@command("down", _CHOOSE, "")
def down(terminal: Terminal, rest: str) -> None:
    """Look at what was called."""
    if terminal.session.frame < commands_move.count_of(rest):
        raise ZhisuanError("this is the innermost call")
    frame(terminal, str(terminal.session.frame - commands_move.count_of(rest)))


# -- others ---------------------------------------------------------------------------------


@command("set [var] NAME = VALUE", _OTHER, "")
def set_value(terminal: Terminal, rest: str) -> None:
    """Change a variable, memory or a register; what came after this moment is forgotten."""
    text = rest.removeprefix("var ").removeprefix("variable ")
    cut = terminal.session.assign(text)
    terminal.say(answers.printed(terminal.session, text.partition("=")[0].strip()))
    if cut:
        terminal.say("what came after this moment is forgotten")


@command("help [COMMAND]", _OTHER, "h")
def show_help(terminal: Terminal, rest: str) -> None:
    """What a command does."""
    terminal.say(help_text(rest))


@command("quit", _OTHER, "q exit")
def leave(terminal: Terminal, rest: str) -> None:
    """Leave the debugger; the program does not go on."""
    raise Left
