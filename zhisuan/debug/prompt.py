"""The debugger on the command line: a prompt, commands as gdb names them, answers in text.

Comes in: launches, lines of commands.  Goes out: text.  A mistake of the user is one line; nothing
ends the session but `quit`, the end of the input, or the program's end.
"""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zhisuan.base import cache
from zhisuan.debug import answers, commands_look, commands_move
from zhisuan.debug.commands import find
from zhisuan.debug.launch import Launch
from zhisuan.debug.session import Session
from zhisuan.debug.stop import Left
from zhisuan.debug.terminal import Terminal

PROMPT = "(debug) "
_REPEATABLE = (
    "step", "next", "stepi", "nexti", "continue", "reverse-step", "reverse-next", "reverse-stepi",
    "reverse-continue", "list", "up", "down",
)  # fmt: skip
"""Commands that an empty line repeats."""


COMMAND_MODULES = (commands_move, commands_look)
"""They have entered their commands."""


class Prompt(Terminal):
    """`script` are lines to execute before anything is read; with `batch` nothing is read."""

    def __init__(
        self, script: Sequence[str] = (), *, batch: bool = False, is_program: bool = False,
        write: Callable[[str], Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(write or sys.stdout.write, is_program)
        self._script, self._batch = list(script), batch
        self._last = ""

    # -- a launch -----------------------------------------------------------------------------

    def debug(self, launch: Launch) -> None:
        """Let the user look at a launch; `Left` where he leaves."""
        self.session = Session(launch, self.settings.breakpoints, tell=self.write)
        was_left, self.is_left = self.is_left, False
        with self._interrupts():
            if was_left:
                self.tell_stop(self.session.go_on())
            else:
                self.say(answers.stop_text(self.session, self.session.last))
            while not self.is_left:
                line = self._line()
                if line is None:
                    raise Left
                self.execute(line)
        self.session.raise_fault()

    # -- lines --------------------------------------------------------------------------------

    def execute(self, line: str) -> None:
        """Carry out one command; an empty line repeats the last one where that makes sense."""
        line = line.strip()
        if line.startswith("#"):
            return
        line = line or self._last
        if not line:
            return
        with self.mistakes():
            command, rest = find(line)
            self._last = command.again(line) if command.name in _REPEATABLE else ""
            command.run(self, rest)

    def _line(self) -> str | None:
        """The next line of the script, or of the user; None at the end."""
        if self._script:
            line = self._script.pop(0)
            self.say(PROMPT + line)
            return line
        if self._batch:
            return None
        while True:
            try:
                sys.stdout.flush()
                return input(PROMPT)
            except EOFError:
                print()
                return None
            except KeyboardInterrupt:
                print()

    @contextmanager
    def _interrupts(self) -> Iterator[None]:
        """Ctrl-C stops the launch, not the debugger."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(*_: object) -> None:
            if not self.session.is_running:
                raise KeyboardInterrupt
            self.session.interrupt()

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def read_history() -> None:
    """Let the arrow keys find earlier lines, those of earlier sessions too."""
    try:
        import readline
    except ImportError:  # a Python without it still has a prompt
        return
    kept = Path(cache.root()) / "debug-history"
    try:
        readline.read_history_file(kept)
    except OSError:
        readline.clear_history()
    readline.set_history_length(1000)

    def write() -> None:
        try:
            readline.write_history_file(kept)
        except OSError:
            return

    atexit.register(write)
