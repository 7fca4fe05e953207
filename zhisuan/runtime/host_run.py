"""A whole program, run to its end in a process of its own.

Comes in: a shared object from `bcl.host`, arguments, a machine's name.  Goes out: the exit status,
the trace and the programs.  What the program prints goes where ours goes.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.program import Program
from zhisuan.runtime.host_process import RESULT, TRACE
from zhisuan.sim.trace import Trace


@dataclass(frozen=True)
class HostRun:
    """`status` is 1 where the program says 0 but a kernel stopped or checks found something; the
    trace is None then."""

    status: int
    trace: Trace | None
    programs: dict[str, Program]


def run(
    library: Path,
    arguments: Sequence[str],
    machine: str,
    *,
    name: str = "program",
    checks: Sequence[str] | None = None,
) -> HostRun:
    """Run `main` with `arguments`; a program that a signal ends is an error."""
    with tempfile.TemporaryDirectory(prefix="zhisuan-") as place:
        folder = Path(place)
        order = {
            "library": str(library), "arguments": list(arguments), "machine": machine,
            "checks": None if checks is None else list(checks), "folder": place, "name": name,
        }  # fmt: skip
        sys.stdout.flush()
        command = [sys.executable, "-m", "zhisuan.runtime.host_process", json.dumps(order)]
        status = subprocess.run(command).returncode
        if status == -signal.SIGINT:
            raise KeyboardInterrupt
        if status < 0:
            raise ZhisuanError(
                f"the program was ended by {signal.Signals(-status).name}",
                where=name,
                hint="look for a host pointer that is used as the card's, or the other way round"
                if -status == signal.SIGSEGV
                else None,
            )
        if not (folder / RESULT).is_file():
            return HostRun(status or 1, None, {})
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        programs = [Program.load(folder / file) for file in result["programs"]]
        trace = None if result["faults"] else Trace.load(folder / TRACE)
        return HostRun(status or int(result["faults"] > 0), trace, {p.name: p for p in programs})
