"""The profile of kernels that were called from Python.

Comes in: a `KernelModule` after its launches.  Goes out: a `Profile` of all of them.
"""

from __future__ import annotations

from pathlib import Path

from zhisuan.base.errors import ZhisuanError
from zhisuan.report.model import RunReport, layers_of_trace
from zhisuan.report.profile.profile import Profile, profile
from zhisuan.report.profile.sources import numbered, read_sources
from zhisuan.runtime.kernel_module import KernelModule
from zhisuan.sim.timing import replay


def profile_of(module: KernelModule, source: str | None = None) -> Profile:
    """All launches of a module since its last fault; `source` is its text, by default the lines
    that the program carries, and the file where it is found."""
    card, program = module.card, module.program
    trace = card.device.trace.build()
    if not trace.launches:
        raise ZhisuanError(
            "there is nothing to profile",
            where=f"module '{program.name}'",
            expected="at least one launch",
            found="none",
        )
    report = RunReport(
        title=f"{', '.join(dict.fromkeys(e.kernel for e in trace.launches))} of {program.name}",
        machine=card.machine,
        timing=replay(trace, card.machine),
        trace=trace,
        layers=layers_of_trace([launch.label for launch in trace.launches]),
        programs={program.name: program},
    )
    sources = read_sources(report.programs, [Path()])
    if source is not None and program.files:
        sources[program.files[0]] = numbered(source)
    return profile(report, sources)
