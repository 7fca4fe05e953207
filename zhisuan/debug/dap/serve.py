"""The adapter on standard input and output, or on a socket.

Comes in: who makes a target of the arguments of `launch`.  Goes out: the exit status, once the
client has left.  What the host program prints becomes events, for its standard output is not the
client's.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from zhisuan.debug.dap import points, requests
from zhisuan.debug.dap.adapter import Adapter
from zhisuan.debug.dap.wire import Wire
from zhisuan.debug.target import Target

Make = Callable[[dict[str, Any]], Target]


def on_stdio(make: Make) -> int:
    """One client, on the standard streams of this process."""
    with os.fdopen(os.dup(0), "rb") as source, os.fdopen(os.dup(1), "wb") as target:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        return _serve(source, target, make)


def on_port(port: int, make: Make) -> int:
    """One client, on a port of this machine; says on standard error once it listens."""
    with socket.create_server(("127.0.0.1", port)) as server:
        print(f"listening on port {server.getsockname()[1]}", file=sys.stderr, flush=True)
        connection, _ = server.accept()
        with connection.makefile("rb") as source, connection.makefile("wb") as target:
            return _serve(source, target, make)


def _serve(source: BinaryIO, target: BinaryIO, make: Make) -> int:
    adapter = Adapter(Wire(source, target), make, requests.handle, requests.MOVES, points.resolved)
    adapter.flush = _redirected(adapter.output)
    return adapter.serve()


def _redirected(tell: Callable[[str], None]) -> Callable[[], None]:
    """Let what is written to standard output become events; the way to wait for the last of it."""
    out, into = os.pipe()
    os.dup2(into, 1)
    os.close(into)

    def forward() -> None:
        while raw := os.read(out, 1 << 16):
            tell(raw.decode("utf-8", "replace"))

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()

    def flush() -> None:
        sys.stdout.flush()
        os.dup2(2, 1)  # the last writer of the pipe leaves, so that the thread ends
        thread.join(timeout=5)

    return flush
