"""A graph at one size on one machine → a plan: every node by its rule, then addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base.dtype import I8
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import macs as graph_macs
from zhisuan.graph import shapes as graph_shapes
from zhisuan.graph.ir import Graph, Node
from zhisuan.isa.program import Program
from zhisuan.kernels import library
from zhisuan.lower import products, rules  # noqa: F401 - their import enters the rules
from zhisuan.lower.memory import Request, place
from zhisuan.lower.state import RULES, TAKE_INTEGERS, Call, Lowering, Place
from zhisuan.runtime.plan import Buffer, Launch, Plan, verify


@dataclass(frozen=True)
class Lowered:
    """A plan and everything it refers to."""

    plan: Plan
    programs: dict[str, Program]
    constants: dict[str, np.ndarray]


def lower(graph: Graph, binding: Mapping[str, int], machine: Machine) -> Lowered:
    """Choose kernels, tile, lay out, plan memory: a verified plan for this size and machine."""
    _refuse_unsupported(graph)
    shapes = graph_shapes.infer(graph, binding)
    _refuse_values(graph, shapes)
    state = Lowering(graph, machine, shapes, graph_macs.macs(graph, binding))
    for name in graph.inputs:
        state.places[name] = state.make(name, "input", state.shapes[name], *state.storage(name))
    for node in _vectors_first(graph, state.shapes):
        RULES[node.op](state, node)
    for name in graph.outputs:
        _deliver(state, name)
    return _finish(state)


def _deliver(state: Lowering, name: str) -> None:
    """Make a value's buffer an output; it must be one that a launch fills."""
    place = state.value(name)
    draft = state.drafts[place.buffer]
    if place.buffer != name or draft.role != "scratch":
        what = "a view of" if place.buffer != name else f"the {draft.role}"
        raise ZhisuanError(
            f"output '{name}' is not computed on the chip",
            where=f"graph '{state.graph.name}'",
            expected="outputs that an operator computes",
            found=f"{what} '{place.buffer}'",
            hint="leave it out of the outputs, or name the value it shows",
        )
    draft.role = "output"


def _vectors_first(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> list[Node]:
    """The nodes, those that depend on no image before all others: layers stay in one piece."""
    early = {name for name in (*graph.inputs, *graph.constants) if len(shapes[name]) < 4}
    for node in graph.nodes:
        if all(name in early for name in node.inputs):
            early.update(node.outputs)
    return sorted(graph.nodes, key=lambda node: node.output not in early)


def _refuse_unsupported(graph: Graph) -> None:
    missing = Counter(node.op for node in graph.nodes if node.op not in RULES)
    if missing:
        raise ZhisuanError(
            f"the DLP has no kernel for {len(missing)} op(s) of graph '{graph.name}'",
            where=", ".join(f"{op} ×{count}" for op, count in sorted(missing.items())),
            expected="ops among " + ", ".join(sorted(RULES)),
            hint="CONTRIBUTING.md, 'add a kernel', shows how one is written",
        )


def _refuse_values(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Every value the chip would hold is of floats or of 8-bit integers, and of one picture if it
    holds pictures."""
    for name in (*graph.inputs, *(node.output for node in graph.nodes)):
        shape, dtype = shapes[name], graph.values[name].dtype
        if not (dtype.is_float or dtype == I8) or (len(shape) == 4 and shape[0] != 1) or 0 in shape:
            raise ZhisuanError(
                f"value '{name}' cannot be lowered",
                where=f"graph '{graph.name}'",
                expected="floats or i8, not empty; pictures one at a time, [1, C, H, W]",
                found=f"{dtype}{list(shape)}",
            )
    for node in graph.nodes:
        of_integers = [n for n in (*node.inputs, node.output) if graph.values[n].dtype == I8]
        if of_integers and node.op not in TAKE_INTEGERS:
            raise ZhisuanError(
                f"{node.op} '{node.label}' cannot be lowered",
                where=f"graph '{graph.name}'",
                expected="floats, or an op among " + ", ".join(sorted(TAKE_INTEGERS)),
                found=f"'{of_integers[0]}' of 8-bit integers",
                hint="put a dequantize before it",
            )


def _finish(state: Lowering) -> Lowered:
    """Addresses for buffers, numbers for pointers; check the plan."""
    end = len(state.calls)
    requests = []
    for name, draft in state.drafts.items():
        if draft.role in ("input", "constant"):  # written before the first launch
            draft.first = 0
        if draft.role in ("output", "constant"):  # constants stay for the next run
            draft.last = end
        draft.first = min(draft.first, end)
        draft.last = max(draft.last, draft.first)
        requests.append(Request(name, draft.size, draft.first, draft.last))
    addresses, used = place(requests)
    programs = {c.kernel: library.compiled(c.kernel).program for c in state.calls}
    buffers = tuple(
        Buffer(name, d.role, d.dtype, d.shape, d.layout, addresses[name], d.size, d.first, d.last)
        for name, d in state.drafts.items()
    )
    launches = tuple(_launch(call, programs[call.kernel], addresses) for call in state.calls)
    name = state.graph.name
    plan = Plan(
        name,
        state.machine.name,
        used,
        buffers,
        launches,
        {kernel: f"{kernel}.dlp" for kernel in sorted(programs)},
        f"{name}.data.safetensors",
    )
    verify(plan, programs)
    return Lowered(plan, programs, state.constants)


def _launch(call: Call, program: Program, addresses: dict[str, int]) -> Launch:
    def number(value: int | float | Place | None) -> int | float:
        if value is None:
            return 0
        if isinstance(value, Place):
            return addresses[value.buffer] + value.offset
        return value

    order = [parameter.name for parameter in program.kernel(call.kernel).parameters]
    missing = [name for name in order if name not in call.args]
    assert not missing, f"{call.kernel}: launch plan gives no {missing}"
    args = {name: number(call.args[name]) for name in order}
    return Launch(
        call.kernel, call.kernel, call.label, call.layer, call.op, call.macs, args,
        (call.tasks, 1, 1), call.task_type,
    )  # fmt: skip
