"""The commands of the command line: names, abbreviations, help.

Comes in: a line.  Goes out: the command that it means.  What commands do is in `commands_move` and
`commands_look`, which enter theirs here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.debug.terminal import Terminal

Work = Callable[[Terminal, str], None]


@dataclass(frozen=True)
class Command:
    """`usage` is name and arguments; `short` are its abbreviations."""

    name: str
    usage: str
    doc: str
    short: tuple[str, ...]
    group: str
    work: Work

    def run(self, terminal: Terminal, rest: str) -> None:
        self.work(terminal, rest)

    def again(self, line: str) -> str:
        """What an empty line after `line` means."""
        return self.name if self.name in ("list", "x") else line


COMMANDS: dict[str, Command] = {}


def command(usage: str, group: str, short: str = "") -> Callable[[Work], Work]:
    """Enter a command; the function's docstring is its help."""

    def enter(work: Work) -> Work:
        name = usage.split()[0].split("/")[0].rstrip("[")
        doc = " ".join((work.__doc__ or "").split())
        COMMANDS[name] = Command(name, usage, doc, tuple(short.split()), group, work)
        return work

    return enter


def find(line: str) -> tuple[Command, str]:
    """The command of a line and what stands behind it; `x/4i 12` and `p/x n` are split too."""
    word, _, rest = line.partition(" ")
    word, slash, form = word.partition("/")
    rest = (f"/{form} " if slash else "") + rest.strip()
    for item in COMMANDS.values():
        if word == item.name or word in item.short:
            return item, rest
    begun = [item for item in COMMANDS.values() if item.name.startswith(word)]
    if len(begun) == 1:
        return begun[0], rest
    if begun:
        names = ", ".join(item.name for item in begun)
        raise ZhisuanError(f"'{word}' could be {names}")
    raise ZhisuanError(f"there is no command '{word}'",
                       hint=did_you_mean(word, COMMANDS) or "help")  # fmt: skip


def help_text(word: str) -> str:
    if word:
        item, _ = find(word)
        short = f" (short: {', '.join(item.short)})" if item.short else ""
        return f"{item.usage}{short}\n  {item.doc}"
    lines = []
    for group in dict.fromkeys(item.group for item in COMMANDS.values()):
        lines.append(f"{group}:")
        lines += [f"  {item.usage:<34} {item.doc.partition('.')[0]}"
                  for item in COMMANDS.values() if item.group == group]  # fmt: skip
    return "\n".join(lines)
