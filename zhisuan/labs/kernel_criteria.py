"""What is judged of a kernel: values, checks, cycles, and rules on what it executed.

Comes in: a criterion and a `Work`, which compiles and launches when first asked.  Goes out:
points and, where some are missing, why.  Rules are judged by what was executed, never by the text.
"""

from __future__ import annotations

import numpy as np

from zhisuan.isa.registry import Unit
from zhisuan.isa.table import BY_NAME
from zhisuan.labs.kinds import Outcome, cases, kind, met, missed
from zhisuan.labs.lab_file import Case, Criterion
from zhisuan.labs.work import Run, Work
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.trace import SCALAR_RUN, Trace


@kind("builds")
def _builds(criterion: Criterion, work: Work) -> Outcome:
    """It compiles, and the kernel has the parameters that the lab asks for."""
    return met(criterion, f"{len(work.program().words)} instructions")


@kind("values")
def _values(criterion: Criterion, work: Work) -> Outcome:
    """The outputs of every case are the reference's, within the tolerance."""
    for number, case in enumerate(criterion.cases):
        run = work.timed(case)
        if run.wrong is not None:
            run = work.traced(case)
            note = f"case {number + 1} of {len(criterion.cases)}"
            return missed(note, f"with {run.text}:\n{run.wrong}")
    return met(criterion, cases(len(criterion.cases)))


@kind("checks")
def _checks(criterion: Criterion, work: Work) -> Outcome:
    """memcheck, initcheck, racecheck and synccheck find nothing in any case of the part."""
    unclean = _first_unclean(work)
    if unclean is None:
        return met(criterion, cases(len(_launched(work))))
    report = unclean.done.findings
    if report is None and unclean.wrong is None:
        count = f"{unclean.done.scalar_accesses:,} scalar loads and stores"
        return missed("too many", f"with {unclean.text}:\n{count} are too many to check")
    if report is None or not report.findings:
        return _wrong_values(unclean)
    names = ", ".join(sorted({finding.check for finding in report.findings}))
    finding = report.findings[0]
    parties = (finding.party, *([finding.other] if finding.other else []))
    lines = "\n".join(unclean.done.quoted(party.pc) for party in parties)
    return missed(names, f"with {unclean.text}:\n{finding}\n{lines}")


def _launched(work: Work) -> list[Case]:
    """The cases whose values are judged."""
    return [case for c in work.part.criteria if c.kind == "values" for case in c.cases]


def _first_unclean(work: Work) -> Run | None:
    """The first run in which the checks find something, that they cannot check, or
    whose values are wrong."""
    for case in _launched(work):
        run = work.run(case)
        report = run.done.findings
        if run.wrong is not None or report is None or report.findings:
            return run
    return None


@kind("cycles", within=1.3, none_from=4.0, bonus=0)
def _cycles(criterion: Criterion, work: Work) -> Outcome:
    """Cycles beside the reference answer's: all points up to `within` times as many, none from
    `none_from` times, in between in proportion; a bonus point for every 5 % below."""
    case, chosen = criterion.cases[0], criterion.options
    run = work.timed(case)
    if run.wrong is not None:
        return _wrong_values(run)
    is_checked = any(other.kind == "checks" for other in work.part.criteria)
    if is_checked and _first_unclean(work) is not None:
        return missed("not counted", "")
    ours, theirs = work.answer_cycles(case), run.done.cycles
    ratio = theirs / ours
    note = f"{theirs:,}, {ratio:.2f}× the reference's"
    if ratio <= chosen["within"]:
        bonus = min(chosen["bonus"], int((1 - ratio) / 0.05))
        return Outcome(True, criterion.points + max(bonus, 0), note)
    left = (chosen["none_from"] - ratio) / (chosen["none_from"] - chosen["within"])
    points = max(0, min(criterion.points - 1, int(criterion.points * left)))
    why = (
        f"with {run.text}:\n{theirs:,} cycles; the reference answer takes {ours:,}, and "
        f"{chosen['within']:g} times that has all points\n{_time_spent(run)}"
    )
    return Outcome(False, points, note, why)


@kind("uses", instructions=None)
def _uses(criterion: Criterion, work: Work) -> Outcome:
    """At least one of the instructions is executed."""
    wanted = criterion.options["instructions"]
    run = work.timed(criterion.cases[0])
    if run.wrong is not None:
        return _wrong_values(run)
    executed = {row.name for row, _ in run.done.trace.kinds()}
    found = [name for name in wanted if name in executed]
    assert all(name in BY_NAME for name in wanted), f"unknown instructions in {wanted}"
    if found:
        return met(criterion, ", ".join(found))
    return missed("none", f"with {run.text}:\nexecuted was none of {', '.join(wanted)}")


@kind("scalar", most=None)
def _scalar(criterion: Criterion, work: Work) -> Outcome:
    """Scalar instructions executed for each element of the outputs, `most` of them at most."""
    run = work.timed(criterion.cases[0])
    if run.wrong is not None:
        return _wrong_values(run)
    trace, most = run.done.trace, criterion.options["most"]
    counts = trace.a[:, trace.opcode == SCALAR_RUN]
    elements = sum(array.size for array in run.expected.values())
    share = int(counts.sum()) / max(elements, 1)
    note = f"{share:.2f} for each element"
    if share <= most:
        return met(criterion, note)
    rows = np.flatnonzero(trace.opcode == SCALAR_RUN)
    longest = rows[int(counts.sum(axis=0).argmax())]
    place = run.done.program.place(int(trace.pc[longest]))
    why = f"with {run.text}:\n{share:.2f} scalar instructions for each element of the output, "
    return missed(note, f"{why}at most {most:g}; the longest run begins at {place}")


@kind("cores", least=None, share=0.5)
def _cores(criterion: Criterion, work: Work) -> Outcome:
    """So many cores execute, each at least `share` of the mean number of bytes or operations."""
    run, least = work.timed(criterion.cases[0]), criterion.options["least"]
    if run.wrong is not None:
        return _wrong_values(run)
    trace = run.done.trace
    counts = _work_by_core(trace)
    mean = sum(counts.values()) / max(len(counts), 1)
    taking = sum(1 for count in counts.values() if count >= criterion.options["share"] * mean > 0)
    note = f"{taking} cores"
    if taking >= least:
        return met(criterion, note)
    why = f"{taking} cores take part in the work, of the {work.part.tasks} tasks launched"
    return missed(note, f"with {run.text}:\n{why}; at least {least} should")


@kind("traffic", most=None)
def _traffic(criterion: Criterion, work: Work) -> Outcome:
    """DRAM traffic beside the bytes of inputs and outputs, `most` times as much."""
    run, most = work.timed(criterion.cases[0]), criterion.options["most"]
    if run.wrong is not None:
        return _wrong_values(run)
    moved = int((run.done.timing.dram_read + run.done.timing.dram_written).sum())
    least = sum(place.size for place in run.done.places.values())
    note = f"{moved / least:.2f}× the tensors' bytes"
    if moved <= most * least:
        return met(criterion, note)
    why = f"{moved:,} bytes to and from DRAM, at most {most:g} times the {least:,} of the tensors"
    return missed(note, f"with {run.text}:\n{why}")


def _wrong_values(run: Run) -> Outcome:
    return missed("values are wrong", f"with {run.text}:\n{run.wrong}")


def _work_by_core(trace: Trace) -> dict[tuple[int, int], int]:
    """Vector and matrix instructions by compute core."""
    units = {row.opcode: row.unit for row in BY_NAME.values()}
    counts: dict[tuple[int, int], int] = {}
    for cluster, core, opcode in zip(
        trace.cluster.tolist(), trace.core.tolist(), trace.opcode.tolist(), strict=True
    ):
        if core != MEMORY_CORE and units.get(opcode) in (Unit.VFU, Unit.MFU):
            counts[cluster, core] = counts.get((cluster, core), 0) + 1
    return counts


def _time_spent(run: Run) -> str:
    """What the decoders of the cores that compute spend their time on, the most first."""
    timing = run.done.timing
    cores = [timing.cores.index(place) for place in _work_by_core(run.done.trace)]
    shares = timing.core_cycles.sum(axis=0)[cores, Unit.SCALAR.value].sum(axis=0)
    order = np.argsort(-shares, kind="stable")[:4]
    total = max(int(shares.sum()), 1)
    told = [f"{timing.causes[i]} {shares[i] / total:.0%}" for i in order if shares[i]]
    return "the cores' decoders: " + ", ".join(told)
