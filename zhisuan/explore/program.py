"""What a sweep runs: a network, a model or a saved trace.

Comes in: what the sweep file says.  Goes out: a `Program`, which gives the trace that a machine
would leave.  No kernel of a network branches on the values of tensors, so launches are
executed on zeros, each by itself; what they compute is thrown away.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import knobs
from zhisuan.base.errors import SourcePos, ZhisuanError, did_you_mean
from zhisuan.explore.watch import Memo
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.runtime.device import Device
from zhisuan.sim.tasks import Dims
from zhisuan.sim.trace import Trace, join_footprints

if TYPE_CHECKING:
    from zhisuan.graph.ir import Graph
    from zhisuan.isa.program import Program as DlpProgram
    from zhisuan.runtime.plan import Launch as PlanLaunch
    from zhisuan.runtime.plan import Plan

PLANS, LAUNCHES, MACHINES = 64, 4096, 8
"""Most plans, launches, and machines for a launch that are kept in memory; few plans do, as
points come sorted by what plans depend on."""

LaunchKey = tuple[str, str, str, Dims, str, tuple[tuple[str, int | float], ...]]


@dataclass(frozen=True)
class Run:
    """A trace that a machine leaves, and the multiply-accumulates of its graph (0: unknown)."""

    trace: Trace
    macs: int


class Program(Protocol):
    """Something that can be run on a machine."""

    def run(self, machine: Machine) -> Run:
        """The trace on this machine; a machine that cannot run it is an error."""
        ...

    def depends_on(self) -> set[str]:
        """The keys of machines that traces have been found to depend on."""
        ...


@dataclass(frozen=True)
class Source:
    """A program as the sweep file names it: `kind` of KINDS, a name or path, and sizes."""

    kind: str
    name: str
    sizes: Mapping[str, int]
    where: SourcePos

    def load(self) -> Program:
        """Read what is named; anything missing or open is an error at its line."""
        try:
            return KINDS[self.kind].load(self)
        except ZhisuanError as error:
            hint = error.hint if error.where is None else f"{error.hint or ''}\n{error.where}"
            raise ZhisuanError(error.what, where=self.where, expected=error.expected,
                               found=error.found, hint=hint) from error  # fmt: skip

    def identity(self) -> str:
        """A text that is another one when the program is another one."""
        parts = [self.kind, self.name if self.kind == "network" else "", *sorted(self.sizes)]
        parts += [str(self.sizes[name]) for name in sorted(self.sizes)]
        if self.kind != "network":
            parts.append(hashlib.sha256(Path(self.name).read_bytes()).hexdigest())
        return " ".join(parts)


class Planned:
    """A graph at one size, planned anew where a machine makes a difference.

    Each different launch is executed once: plans for like machines share most of theirs.
    """

    def __init__(self, graph: Graph, binding: Mapping[str, int]) -> None:
        self.graph, self.binding = graph, binding
        self._plans: Memo[Plan] = Memo(PLANS)
        self._programs: dict[str, DlpProgram] = {}
        self._launches: OrderedDict[LaunchKey, Memo[Trace]] = OrderedDict()

    def run(self, machine: Machine) -> Run:
        if machine.skips_weights:
            raise ZhisuanError(
                "a sweep of a network does not know its weights",
                where=f"sparsity.skip of machine '{machine.name}'",
                expected="nothing: launches are executed on zeros",
                found=machine.sparsity.skip,
                hint="sweep a saved trace, which has counted the weights",
            )
        plan = self._plans.get(machine, self._plan)
        parts = [self._launch(machine, plan.dram_bytes, launch) for launch in plan.launches]
        return Run(joined(parts), sum(launch.macs for launch in plan.launches))

    def depends_on(self) -> set[str]:
        return self._plans.keys_read()

    def _plan(self, machine: Machine) -> Plan:
        from zhisuan.lower import lower

        lowered = lower(self.graph, self.binding, machine)
        Device(machine).reserve(lowered.plan.dram_bytes)
        self._programs.update(lowered.programs)
        return lowered.plan

    def _launch(self, machine: Machine, dram_bytes: int, launch: PlanLaunch) -> Trace:
        def execute(seen: Machine) -> Trace:
            device = Device(seen, knobs.executor())
            device.reserve(dram_bytes)
            program = self._programs[launch.program]
            device.launch(program, launch.kernel, launch.args, launch.label,
                          launch.dims, launch.task_type)  # fmt: skip
            return device.trace.build()

        tasks = (launch.dims, launch.task_type)
        key = (launch.program, launch.kernel, launch.label, *tasks, tuple(launch.args.items()))
        known = self._launches.setdefault(key, Memo(MACHINES))
        self._launches.move_to_end(key)
        if len(self._launches) > LAUNCHES:
            self._launches.popitem(last=False)
        return known.get(machine, execute)


def joined(parts: Sequence[Trace]) -> Trace:
    """One trace of several, one after the other; every column is joined along its rows."""
    columns = {
        column.name: np.concatenate([getattr(part, column.name) for part in parts], axis=-1)
        for column in fields(Trace)
        if column.name not in ("launch", "launches", "footprints")
    }
    launches, numbers, begins, rows = [], [], [], 0
    for part in parts:
        begins.append(rows)
        numbers.append(part.launch + np.int32(len(launches)))
        launches += [replace(entry, first_row=rows + entry.first_row) for entry in part.launches]
        rows += len(part)
    footprints = join_footprints([part.footprints for part in parts], begins)
    return Trace(launch=np.concatenate(numbers), launches=tuple(launches),
                 footprints=footprints, **columns)  # fmt: skip


class Saved:
    """A trace as it is: timed on any machine whose memories are large enough for it."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._ends = {space: _end(trace, space) for space in (NRAM, WRAM)}

    def run(self, machine: Machine) -> Run:
        for space, room in ((NRAM, machine.nram_usable), (WRAM, machine.wram.size)):
            if self._ends[space] > room:
                raise ZhisuanError(
                    f"the trace needs more {space.name.upper()} than the machine has",
                    expected=f"at least {self._ends[space]:,} bytes",
                    found=f"{room:,} bytes usable",
                    hint="sweep the model instead: it is planned anew for each machine",
                )
        return Run(self.trace, 0)

    def depends_on(self) -> set[str]:
        return set()


def _end(trace: Trace, space: Any) -> int:
    """Bytes from the start of a memory to the end of what the trace's instructions touch."""
    end = 0
    for row, mode, rows in trace.groups():
        for touch in row.touches(trace.operands(row, mode, rows)):
            last = np.broadcast_to(touch.base + np.maximum(touch.span, 0) - 1, rows.shape)
            inside = last[(last >= space.base) & (last < space.base + space.window)]
            end = max(end, int(inside.max(initial=space.base - 1)) - space.base + 1)
    return end


def _style(size: int) -> tuple[Graph, dict[str, int]]:
    from zhisuan.models import style

    if size < style.SMALLEST_SIDE:
        raise ZhisuanError(
            "the style network needs larger pictures",
            expected=f"size = {style.SMALLEST_SIDE} or more",
            found=str(size),
        )
    return style.load(), {"h": size, "w": size}


def _vgg16(size: int) -> tuple[Graph, dict[str, int]]:
    from zhisuan.models import vgg16

    if size % 32:
        raise ZhisuanError("VGG16 halves its pictures five times",
                           expected="size = a multiple of 32", found=str(size))  # fmt: skip
    return vgg16.build(vgg16.imagenet_weights(), size), {}


NETWORKS: dict[str, Callable[[int], tuple[Any, dict[str, int]]]] = {
    "style": _style,
    "vgg16": _vgg16,
}


def _load_network(source: Source) -> Program:
    from zhisuan.graph.rewrite import optimize

    if source.name not in NETWORKS:
        raise ZhisuanError(f"no network is called '{source.name}'", expected=", ".join(NETWORKS),
                           hint=did_you_mean(source.name, NETWORKS))  # fmt: skip
    graph, binding = NETWORKS[source.name](source.sizes["size"])
    return Planned(optimize(graph), binding)


def _load_model(source: Source) -> Program:
    from zhisuan.frontend import onnx
    from zhisuan.graph import text
    from zhisuan.graph.rewrite import optimize

    path = Path(source.name)
    graph = text.load(path) if path.suffix == ".graph" else onnx.load(path)
    symbols = graph.symbols()
    if set(symbols) != set(source.sizes):
        raise ZhisuanError(
            "the sizes given are not those the model leaves open",
            expected=", ".join(symbols) or "no sizes",
            found=", ".join(source.sizes) or "none",
            hint="dims = { " + ", ".join(f"{symbol} = 64" for symbol in symbols) + " }",
        )
    return Planned(optimize(graph), source.sizes)


def _load_trace(source: Source) -> Program:
    return Saved(Trace.load(source.name))


@dataclass(frozen=True)
class Kind:
    """A kind of program: how a sweep file says it, which key gives its sizes, how it loads."""

    form: str
    size: str
    load: Callable[[Source], Program] = field(repr=False)
    suffixes: tuple[str, ...] = ()

    def source(self, where: SourcePos, kind: str, name: str, sizes: Mapping[str, int],
               folder: Path) -> Source:  # fmt: skip
        """The program named in a sweep file of `folder`; a file that is not there is an error."""
        if not self.suffixes:
            return Source(kind, name, sizes, where)
        path = folder / name
        if not path.is_file() or path.suffix not in self.suffixes:
            raise ZhisuanError(
                f"no {kind} can be read from '{name}'",
                where=where,
                expected="an existing file ending in " + " or ".join(self.suffixes),
                found=path.suffix or "no extension" if path.is_file() else "no such file",
            )
        return Source(kind, str(path), sizes, where)


KINDS = {
    "network": Kind('network = "style" and size = 256', "size", _load_network),
    "model": Kind('model = "FILE.onnx" and dims = { h = 64, w = 64 }', "dims", _load_model,
                  (".onnx", ".graph")),
    "trace": Kind('trace = "FILE.trace"', "", _load_trace, (".trace",)),
}  # fmt: skip
