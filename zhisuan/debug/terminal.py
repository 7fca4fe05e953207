"""What commands of the command line work on: the session, what outlives a launch, and the screen.

Comes in: stops, answers.  Goes out: text.  Lines are read elsewhere (`prompt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug import answers
from zhisuan.debug.breakpoints import Breakpoints
from zhisuan.debug.session import Session
from zhisuan.debug.stop import Reason, Stop


@dataclass
class Settings:
    """What outlives a launch."""

    breakpoints: Breakpoints = field(default_factory=Breakpoints)
    displays: dict[int, str] = field(default_factory=dict)
    next_display: int = 1


class Terminal:
    """With `is_program` the launch is one of a host program, to which `continue` returns at its
    end."""

    session: Session

    def __init__(self, write: Callable[[str], Any], is_program: bool = False) -> None:
        self.settings = Settings()
        self.is_program = is_program
        self.is_left = False
        """Whether the chip is given back to the host program."""
        self.listed: tuple[int, int] | None = None
        """The file, and the line behind the last one that `list` showed."""
        self.write = write

    def leave(self) -> None:
        """Give the chip back to the host program."""
        self.is_left = True

    def tell_stop(self, stop: Stop) -> None:
        """Say why the launch stands still, and show what the user wants to see each time."""
        if stop.reason is Reason.END and self.is_program:
            self.leave()
            return
        self.listed = None
        self.say(answers.stop_text(self.session, stop))
        if stop.reason is not Reason.END:
            self.show_displays()

    def show_displays(self) -> None:
        for number, text in self.settings.displays.items():
            with self.mistakes():
                self.say(f"{number}: " + answers.printed(self.session, text))

    @contextmanager
    def mistakes(self) -> Iterator[None]:
        """What the user cannot have is said in one line."""
        try:
            yield
        except ZhisuanError as error:
            self.say(one_line(error))

    def say(self, text: str) -> None:
        self.write(text.rstrip("\n") + "\n")


def one_line(error: ZhisuanError) -> str:
    """A mistake with what is needed to mend it."""
    parts = [error.what]
    for word, text in (("expected", error.expected), ("found", error.found), ("try", error.hint)):
        if text:
            word = "" if text.startswith("did you mean") else f"{word} "
            parts.append(word + " ".join(str(text).split()))
    return "; ".join(parts)
