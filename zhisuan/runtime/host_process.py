"""The process in which a program's `main` runs: `python -m zhisuan.runtime.host_process ORDER`.

Comes in: an order as JSON (library, machine, checks, arguments, folder).  Goes out: whatever the
program does; in the folder its trace and programs; its own exit status.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from zhisuan.arch import load as machines
from zhisuan.base import clang
from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime.host_calls import HostCalls

ENTRY = Path(__file__).with_name("host_entry.c")
RESULT, TRACE = "result.json", "run.trace"
_BROKEN = 70
_LAUNCHES = (b"launch", b"invoke")
_Call = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int64), ctypes.c_int64,
    ctypes.c_char_p, ctypes.c_int64,
)  # fmt: skip
_Done = ctypes.CFUNCTYPE(None)


def main() -> None:
    """Run the program of the order; never returns."""
    order = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    calls = HostCalls(machines.load(order["machine"]), order["checks"])
    words = [order["name"], *order["arguments"]]
    run_main(Path(order["library"]), words, calls,
             lambda _: _leave_results(calls, Path(order["folder"])))  # fmt: skip


def run_main(
    library: Path, arguments: Sequence[str], calls: HostCalls, leave: Callable[[int], None]
) -> NoReturn:
    """Run the `main` of a shared object in this process, which ends with it; `leave` is told the
    status that `main` returned before, 0 where it called exit."""
    libc = ctypes.CDLL(None)
    ended: list[int] = []

    @_Call
    def call(name: bytes, args: Any, count: int, file: bytes, line: int) -> int:
        if name in _LAUNCHES:  # what the kernel prints comes after what the host has printed
            libc.fflush(None)
        done = _guarded(
            lambda: calls.call(name.decode(), args[:count], (file or b"").decode(), line)
        )
        sys.stdout.flush()
        return done

    @_Done
    def done() -> None:
        libc.fflush(None)
        _guarded(lambda: leave(ended[0] if ended else 0))

    entry = ctypes.CDLL(str(_entry()), mode=ctypes.RTLD_GLOBAL)
    entry.zhisuan_serve(call)
    entry.atexit(done)  # before the program's own, and so called after them
    try:
        program = ctypes.CDLL(str(library), mode=os.RTLD_NOW)
        start = program.main
    except (OSError, AttributeError) as error:
        _fail(error)
    words = [word.encode() for word in arguments]
    argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
    ended.append(start(len(words), argv))
    libc.exit(ended[0])
    raise AssertionError


def _entry() -> Path:
    text = ENTRY.read_text(encoding="utf-8")
    return clang.build_shared({ENTRY.name: text}, features=())


def _guarded(work: Any) -> int:
    """A mistake of ours must not be lost on its way through C: it ends the process."""
    try:
        return work() or 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(_BROKEN)


def _leave_results(calls: HostCalls, folder: Path) -> None:
    try:
        calls.card.check()
    except ZhisuanError as error:
        calls.faults += 1
        print(error, file=sys.stderr, flush=True)
    names = []
    for number, program in enumerate(calls.kernels.programs):
        (folder / f"{number}.dlp").write_bytes(program.to_bytes())
        names.append(f"{number}.dlp")
    if not calls.faults:
        calls.card.device.trace.build().save(folder / TRACE)
    result = {"faults": calls.faults, "launches": calls.card.launches, "programs": names}
    (folder / RESULT).write_text(json.dumps(result), encoding="utf-8")


def _fail(error: Exception) -> None:
    found = str(error)
    if isinstance(error, AttributeError):
        complaint = ZhisuanError("the program has no main", expected="int main()")
    else:
        complaint = ZhisuanError(
            "the program cannot be loaded", expected="every function to be defined",
            found=found.split(": ", 1)[-1],
        )  # fmt: skip
    print(complaint, file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    main()
