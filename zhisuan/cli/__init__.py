"""The command line: arguments in, calls to the pipeline, text and exit codes out.

It computes nothing.  Exit codes: 0 done, 1 an error the message explains, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from zhisuan.base.errors import ZhisuanError
from zhisuan.base.knobs import check_environment


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; leaves through SystemExit with the exit code."""
    from zhisuan.cli.app import app

    try:
        check_environment()
        app(args=arguments, prog_name="zhisuan")
    except ZhisuanError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has left: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
