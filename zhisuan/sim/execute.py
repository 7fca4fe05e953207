"""Run one kernel launch: check the arguments, execute, enter the rows in the trace.

Comes in: a program, a kernel's name, its arguments, a memory.  Goes out: changed memory and a
launch in the trace, or an error naming kernel, source line and instruction.  Never any time.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import clang, knobs
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import NRAM, PARAM, PARAM_SLOT, SRAM, WRAM
from zhisuan.isa.disasm import format_instruction
from zhisuan.isa.encoding import decode
from zhisuan.isa.number import FLOATS, INTEGERS, bits_of
from zhisuan.isa.program import Kernel, Parameter, Program
from zhisuan.isa.registry import STACK_POINTER
from zhisuan.sim import native_core, reference
from zhisuan.sim.barrier import run_together
from zhisuan.sim.checks.arrays import contents, largest_place
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.fault import Fault, leaves_memory, stack_full
from zhisuan.sim.memory import PARAM_BYTES, Memory
from zhisuan.sim.reachable import is_ordered, reads_core_id
from zhisuan.sim.roles import check_shared_copies, for_memory_core
from zhisuan.sim.stack_depth import stack_bytes
from zhisuan.sim.tasks import (
    MEMORY_CORE,
    ONE_TASK,
    Dims,
    Job,
    Task,
    has_memory_cores,
    jobs_of,
    waves,
)
from zhisuan.sim.trace import Launch, Stretch, TraceBuilder
from zhisuan.sim.turns import InTurn, Shuffled, Together, Turns
from zhisuan.sim.waiting import may_wait

LIMIT = 2 * 10**9
"""Instructions a task may execute unless told otherwise."""
ROWS_OF_A_TASK = 500_000
_LIMIT_OF_ROWS = 100
"""Of so many instructions that the tasks of a wave may execute one may leave a row in the trace:
rows take memory.  The tasks share them out, but so few of a task are never too many."""


def execute(
    program: Program,
    kernel: str,
    args: Sequence[int | float],
    memory: Memory,
    trace: TraceBuilder,
    *,
    label: str,
    executor: str = "native",
    limit: int | None = None,
    journal: Journal | None = None,
    dims: Dims = ONE_TASK,
    task_type: str = "BLOCK",
    threads: int | None = None,
    schedule: int | None = None,
) -> None:
    """Run all tasks of `kernel` to their ends.

    `dims` and `task_type` say how many tasks and on which cores (`tasks`); `limit` instructions
    is what a task may execute, without it those of ZHISUAN_LIMIT or LIMIT; tasks that take turns
    share it.  `journal` is told of every scalar load and store; with one, a faulty launch leaves in
    the trace what it did, without one nothing.  `threads` of the host simulate cores at the same
    time, by default all of them, unless tasks may wait for memory or the kernel has atomics, or
    a seed, `schedule`, decides their order.
    """
    entry, words = program.kernel(kernel), program.words.tobytes()
    groups = make_ready(program, kernel, args, memory, dims, task_type)
    launch = Launch(label, program.name, kernel, trace.rows, dims, task_type)
    waits = tasks_wait(program, kernel, dims, task_type)
    kind = _kind(executor)
    threads = 1 if is_ordered(words, entry.entry) else threads
    turns = _turns(kind, threads, schedule, waits, journal)
    limit = limit or knobs.limit() or LIMIT
    meetings = itertools.count()
    started: list[Any] = []

    def located(stop: Fault, task: Task) -> ZhisuanError:
        return located_fault(stop, program, kernel, dims, task)

    try:
        for wave in groups:
            tasks = sum(len(job.tasks) for job in wave)
            most = max(limit // tasks, 1) if isinstance(turns, InTurn) else limit
            runs = [
                run
                for job in wave
                for run in _start(kind, program, entry, memory, most, job, journal)
            ]
            for run in runs:
                rows = limit // _LIMIT_OF_ROWS
                run.most_rows = max(rows // tasks, ROWS_OF_A_TASK)
            started += runs
            try:
                run_together(runs, meetings, located, program.place, turns)
            finally:
                _print_texts(runs)
    except ZhisuanError:
        if journal is not None and started:
            for run in started:
                run.close()
            trace.add_tasks(launch, _stretches(started))
        raise
    stretches = _stretches(started)
    if _memory_cores(program, entry, memory.machine, task_type):
        check_shared_copies(program, stretches)
    trace.add_tasks(launch, stretches)


def make_ready(
    program: Program, kernel: str, args: Sequence[int | float], memory: Memory, dims: Dims,
    task_type: str,
) -> Iterator[list[Job]]:  # fmt: skip
    """Put a kernel's arguments and constants in place; the jobs of its launch, in waves that are
    on the chip one after the other."""
    entry = program.kernel(kernel)
    _check_room(program, entry, memory)
    slots = _argument_slots(entry, args)
    memory.poke(PARAM.base, np.zeros(PARAM_BYTES, np.uint8))
    memory.poke(PARAM.base, slots)
    memory.load_constants(program, program.const_data)
    with_memory_cores = _memory_cores(program, entry, memory.machine, task_type)
    return waves(jobs_of(memory.machine, dims, task_type, with_memory_cores))


def _memory_cores(program: Program, kernel: Kernel, machine: Machine, task_type: str) -> bool:
    """Whether memory cores take part in a launch."""
    words = program.words.tobytes()
    union = task_type != "BLOCK" and has_memory_cores(machine)
    return union and reads_core_id(words, kernel.entry)


def tasks_wait(program: Program, kernel: str, dims: Dims, task_type: str) -> bool:
    """Whether tasks of a launch may wait for what others write, and so need turns."""
    several = (dims, task_type) != (ONE_TASK, "BLOCK")
    return several and may_wait(program.words.tobytes(), program.kernel(kernel).entry)


def start_tasks(
    program: Program, kernel: str, memory: Memory, wave: Sequence[Job], executor: str,
    limit: int | None = None,
) -> list[Any]:  # fmt: skip
    """The tasks of a wave, each before its first instruction, for a caller that moves them."""
    kind, entry = _kind(executor), program.kernel(kernel)
    limit = limit or knobs.limit() or LIMIT
    return [run for job in wave for run in _start(kind, program, entry, memory, limit, job, None)]


def _print_texts(runs: Sequence[Any]) -> None:
    """What tasks have printed, task by task, to standard output."""
    for run in sorted(runs, key=lambda run: run.task.number):
        sys.stdout.write("".join(run.printed))


def _stretches(runs: Sequence[Any]) -> list[Stretch]:
    return [
        Stretch(run.rows, run.task.cluster, run.task.core, run.task.number, run.footprints)
        for run in runs
    ]


def _turns(
    kind: type[reference.Run] | type[native_core.Run],
    threads: int | None,
    schedule: int | None,
    waits: bool,
    journal: Journal | None,
) -> Turns:
    """The order of tasks: as a seed wills, in turn where they may wait for each other's values,
    else at the same time."""
    if schedule is not None:
        return Shuffled(schedule)
    if waits:
        return InTurn()
    most = threads or knobs.threads() or os.cpu_count() or 1
    host_threads = most if kind is native_core.Run else 1
    return Together(host_threads, to_the_end=journal is not None)


def _start(
    kind: type[reference.Run] | type[native_core.Run],
    program: Program,
    entry: Kernel,
    memory: Memory,
    limit: int,
    job: Job,
    journal: Journal | None,
) -> list[Any]:
    """The tasks of a job, each before its first instruction."""
    machine, runs = memory.machine, []
    for task in job.tasks:
        own = memory.seen_by(task.cluster, task.core, job.shared)
        stack = NRAM.base + machine.nram.size
        if task.core == MEMORY_CORE:
            stack = SRAM.base + machine.sram.size
        seen = for_memory_core(program) if task.core == MEMORY_CORE else program
        registers = reference.start_registers(stack)
        own_journal = journal and journal.of((task.cluster, task.core, task.number))
        runs.append(kind(seen, entry.entry, registers, own, limit,
                         task=task, job=job, journal=own_journal))  # fmt: skip
    for run in runs:
        run.meet(runs)
    return runs


def _kind(executor: str) -> type[reference.Run] | type[native_core.Run]:
    if executor == "native" and native_is_possible():
        return native_core.Run
    if executor in ("native", "reference"):
        return reference.Run
    raise ZhisuanError("no such executor", expected="native or reference", found=executor)


@functools.cache
def prepare(executor: str) -> None:
    """Compile the native core, if it is asked for and was never compiled on this host."""
    if executor == "native" and native_is_possible():
        native_core.library()


@functools.cache
def native_is_possible() -> bool:
    """Whether there is a compiler for this host; says so once on standard error if not."""
    try:
        clang.host_triple()
        clang.clang_command()
        clang.lld_command()
    except ZhisuanError as error:
        print(f"warning: {error.what}: the chip is simulated slowly, in Python", file=sys.stderr)
        return False
    return True


def _check_room(program: Program, kernel: Kernel, memory: Memory) -> None:
    """Refuse a kernel whose on-chip arrays the machine cannot hold.

    Arrays may take what is reserved for the stack, as far as the kernel's leaves it free.
    """
    machine = memory.machine
    stack = stack_bytes(program.words.astype(np.uint64).tobytes(), kernel.entry)
    free = 0 if stack is None else max(machine.nram.stack - stack, 0)
    for space, needed, room in (
        (NRAM, kernel.nram_bytes, machine.nram_usable + free),
        (WRAM, kernel.wram_bytes, machine.wram.size),
        (SRAM, kernel.sram_bytes, machine.sram.size - machine.sram.stack),
    ):
        if needed > room:
            name, held = space.name.upper(), contents(program, space)
            raise ZhisuanError(
                f"kernel '{kernel.name}' does not fit machine '{machine.name}'",
                where=largest_place(program, space),
                expected=f"at most {room} bytes of {name}",
                found=f"{needed} bytes of {name} arrays" + (f":\n{held}" if held else ""),
                hint="smaller arrays, or a machine with more memory on the chip",
            )


def _argument_slots(kernel: Kernel, args: Sequence[int | float]) -> np.ndarray:
    """The bytes of PARAM space (uint64 slots), every argument checked against its kind."""
    if len(args) != len(kernel.parameters):
        raise ZhisuanError(
            f"kernel '{kernel.name}' called with a wrong number of arguments",
            expected=_signature(kernel),
            found=f"{len(args)} arguments",
        )
    if len(args) * PARAM_SLOT > PARAM_BYTES:
        raise ZhisuanError(f"kernel '{kernel.name}' has too many parameters",
                           expected=f"at most {PARAM_BYTES // PARAM_SLOT}",
                           found=str(len(args)))  # fmt: skip
    pairs = zip(kernel.parameters, args, strict=True)
    return np.array([_argument_bits(kernel, p, value) for p, value in pairs], np.uint64)


def _argument_bits(kernel: Kernel, parameter: Parameter, value: int | float) -> int:
    kind = parameter.kind
    is_whole = isinstance(value, int | np.integer)
    if kind in FLOATS and (is_whole or isinstance(value, float | np.floating)):
        with np.errstate(over="ignore"):
            return bits_of(value, kind)
    mode = "u64" if parameter.is_pointer else kind
    if mode in INTEGERS and is_whole:
        bits = bits_of(int(value), mode)
        if int(value) in (bits, bits - (1 << 64)):
            return bits
    raise ZhisuanError(
        f"argument '{parameter.name}' of kernel '{kernel.name}' does not fit",
        expected=_signature(kernel),
        found=repr(value),
    )


def _signature(kernel: Kernel) -> str:
    return f"{kernel.name}({', '.join(f'{p.kind} {p.name}' for p in kernel.parameters)})"


def located_fault(
    stop: Fault, program: Program, kernel: str, dims: Dims, task: Task
) -> ZhisuanError:
    """The fault's error with the place it happened at."""
    pc = stop.pc
    error = stop.error
    if leaves_memory(error) and _is_on_stack(int(program.words[pc])):
        error = stack_full(error)
    of_task = f", {task.place}" if dims != ONE_TASK else ""
    where = f"kernel '{kernel}', {program.place(pc)}, pc {pc}{of_task}"
    if 0 <= pc < len(program.words):
        where += f": {_instruction_text(int(program.words[pc]), pc)}"
    if quoted := program.quoted(pc):
        where += f"\n{quoted}"
    return ZhisuanError(
        error.what, where=where, expected=error.expected, found=error.found, hint=error.hint
    )


def _is_on_stack(word: int) -> bool:
    """Whether an instruction is a scalar access relative to the stack pointer."""
    item = decode(word)
    pairs = zip(item.row.operands, item.values, strict=True)
    return any(operand.name == "base" and value == STACK_POINTER for operand, value in pairs)


def _instruction_text(word: int, pc: int) -> str:
    return " ".join(format_instruction(word, pc=pc).split())
