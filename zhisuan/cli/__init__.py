"""The command line: arguments in, calls to the pipeline, text and exit codes out.

It computes nothing.  Exit codes: 0 done, 1 an error the message explains, 2 wrong usage,
130 interrupted, 128 + n ended by signal n.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import FULL
from zhisuan.base.knobs import check_environment


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; leaves through SystemExit with the exit code."""
    from zhisuan.cli.app import app

    _take_any_text()
    try:
        check_environment()
        try:
            with _cleaning_up():
                app(args=arguments, prog_name="zhisuan")
        finally:
            sys.stdout.flush()  # here, not when the interpreter ends: the reader may have left
    except ZhisuanError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has left: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # files say their own names: this is standard output
        if error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"error: standard output takes no more: {error.strerror}", file=sys.stderr)
        sys.exit(1)


def _take_any_text() -> None:
    """Let both outputs take what their encoding lacks, and be there even where they are closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def _cleaning_up() -> Iterator[None]:
    """Let a request to end (kill, a closed terminal) unwind, so that nothing is left half-made."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    here = threading.current_thread() is threading.main_thread()
    ours = (signal.SIGTERM, signal.SIGHUP) if here else ()
    before = {number: signal.getsignal(number) for number in ours}
    ours = [number for number in ours if before[number] is signal.SIG_DFL]
    try:
        for number in ours:
            signal.signal(number, leave)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
