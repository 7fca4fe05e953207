"""`zhisuan time`: the cycles of a saved trace, on any machine, without running it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhisuan.cli import options

if TYPE_CHECKING:
    from zhisuan.isa.program import Program
    from zhisuan.report.model import Layer, RunReport
    from zhisuan.runtime.plan import Plan
    from zhisuan.sim.trace import Trace


def time(
    file: Annotated[Path, typer.Argument(help="A .trace file.")],
    machine: options.Machine = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="Plan with layers and MACs [the one beside FILE].",
                     show_default=False),
    ] = None,
    report: options.Report = None,
    timeline: Annotated[
        Path | None,
        typer.Option("--timeline", help="Still picture of the timeline to write, .svg.",
                     show_default=False),
    ] = None,
    costs: Annotated[
        bool, typer.Option("--energy", help="Print energy and chip area part by part too.")
    ] = False,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Time a saved trace on a machine.

    Nothing is executed again: other cycles, the same values.
    """
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen

    wanted = {"--report": report, "--timeline": timeline}
    names.check_distinct({"FILE": file, "--plan": plan}, wanted)
    with Outputs() as claimed:
        page_file = claimed.file(report) if report is not None else None
        still_file = claimed.file(timeline) if timeline is not None else None
        result = report_of(file, machine, plan, costs)
        if page_file is not None:
            from zhisuan.report.html import page

            page_file.write_text(page(result), encoding="utf-8")
        if still_file is not None:
            from zhisuan.report.timeline_svg import timeline_svg

            still_file.write_text(timeline_svg(result), encoding="utf-8")
    screen.show_report(result, as_json)
    if costs and not as_json:
        screen.show_costs(result)
    if NO_PLAN in result.notes and not as_json:
        print(f"\n{NO_PLAN}")
    written = {"report": report, "timeline": timeline}
    screen.show_written({k: v for k, v in written.items() if v is not None}, as_json)


NO_PLAN = "Without its plan a trace does not tell the graph's MACs, so utilisation is not shown."


def report_of(file: Path, machine: str | None, plan: Path | None, costs: bool = False) -> RunReport:
    """A saved trace, timed; `costs`: refuse a machine whose energy is not known."""
    import time as clock

    from zhisuan.arch import load as machines
    from zhisuan.arch.technology import technology_of
    from zhisuan.report.model import RunReport
    from zhisuan.sim.timing import replay
    from zhisuan.sim.trace import Trace

    trace = Trace.load(file)
    known = _plan_of(trace, file, plan)
    chip = machines.load(machine or (known.machine if known else machines.DEFAULT))
    if costs:
        technology_of(chip, "energy")
    start = clock.perf_counter()
    timing = replay(trace, chip)
    seconds = clock.perf_counter() - start
    return RunReport(
        title=f"{file.name} on {Path(machine).name if machine else chip.name}",
        machine=chip,
        timing=timing,
        trace=trace,
        layers=_layers(trace, known),
        host_seconds={"replay timing": seconds},
        notes=() if known else (NO_PLAN,),
        programs=_programs(known, (plan or file).parent),
    )


def _plan_of(trace: Trace, file: Path, given: Path | None) -> Plan | None:
    """The plan named, or the only one beside the trace that has the trace's launches."""
    from zhisuan.base.errors import ZhisuanError
    from zhisuan.runtime import plan as plans

    labels = [launch.label for launch in trace.launches]
    if given is not None:
        plan = plans.load(given)
        if [launch.label for launch in plan.launches] != labels:
            raise ZhisuanError(
                "the plan is not the one this trace was made with",
                where=str(given),
                expected=f"{len(labels)} launches labelled as in {file.name}",
                found=f"{len(plan.launches)} launches"
                + (" labelled otherwise" if len(plan.launches) == len(labels) else ""),
                hint="name the plan that was written together with the trace",
            )
        return plan
    for path in sorted(file.parent.glob("*.plan")):
        try:
            plan = plans.load(path)
        except ZhisuanError:
            continue
        if [launch.label for launch in plan.launches] == labels:
            return plan
    return None


def _layers(trace: Trace, plan: Plan | None) -> tuple[Layer, ...]:
    from zhisuan.report.model import Layer, layers_of_trace

    if plan is None:
        return layers_of_trace([launch.label for launch in trace.launches])
    found = plan.layers().items()
    return tuple(Layer(name, tuple(launches), macs) for name, (launches, macs) in found)


def _programs(plan: Plan | None, folder: Path) -> dict[str, Program]:
    """The plan's programs that lie beside it, for source lines in the timeline."""
    from zhisuan.isa.program import Program

    files = {name: folder / file for name, file in plan.programs.items()} if plan else {}
    return {name: Program.load(path) for name, path in files.items() if path.is_file()}
