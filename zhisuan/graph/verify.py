"""The graph's rules, checked after every pass.

In comes a graph, out comes nothing or a `VerifyError` that names the node and the rule:
single assignment, defined before use, known op, arity, attributes, types and shapes as the
op's own rules compute them, outputs that exist.  Never changes anything.
"""

from __future__ import annotations

from typing import NoReturn

from zhisuan.base.errors import VerifyError, ZhisuanError
from zhisuan.graph.ir import Graph, Node, Value
from zhisuan.graph.registry import find
from zhisuan.graph.shapes import LOOPS, Fact, constant_fact, inputs_of, node_facts


class BrokenNode(VerifyError):
    """A rule broken at one node; `label` is the node's."""

    def __init__(self, label: str, error: VerifyError) -> None:
        super().__init__(error.what, where=error.where, expected=error.expected, found=error.found)
        self.label = label


def verify(graph: Graph, after: str = "") -> Graph:
    """The same graph when it keeps all rules; `after` names the pass that made it."""
    suffix = f", after the pass '{after}'" if after else ""
    where = f"graph '{graph.name}'{suffix}"
    facts: dict[str, Fact] = {}
    for name in graph.inputs:
        _define(graph, name, facts, where)
        value = graph.values[name]
        facts[name] = Fact(value.dtype, value.shape)
    for name, array in graph.constants.items():
        _define(graph, name, facts, where)
        facts[name] = constant_fact(array)
        _compare(graph.values[name], facts[name], where)
    labels: set[str] = set()
    for node in graph.nodes:
        try:
            _check_node(graph, node, facts, labels, f"{where}, node '{node.label}' ({node.op})")
        except VerifyError as error:
            raise BrokenNode(node.label, error) from None
    for node in graph.nodes:
        for name in node.inputs:
            if name not in facts:
                _fail("a loop reads a value that is never made", where, found=name)
    for name in graph.outputs:
        if name not in facts:
            _fail("an output is never made", where, expected="a value of the graph", found=name)
    if not graph.outputs:
        _fail("the graph has no output", where, expected="at least one", found="none")
    return graph


def _check_node(
    graph: Graph, node: Node, facts: dict[str, Fact], labels: set[str], where: str
) -> None:
    if not node.label or node.label in labels:
        _fail("labels must be unique", where, expected="a label of its own", found=node.label)
    labels.add(node.label)
    for label in node.after:
        if label not in labels:
            _fail("a node runs after one that does not come before it", where, found=label)
    for name in node.inputs[: 1 if node.op in LOOPS else None]:
        if name not in facts:
            _fail(
                "a value is used before it is made",
                where,
                expected="an input, a constant or the output of an earlier node",
                found=name,
            )
    try:
        row = find(node.op, node.label)
        if len(node.outputs) != len(row.outputs):
            several = f"{len(row.outputs)}: {', '.join(row.outputs)}"
            _fail("the op makes another number of values", where, several, str(len(node.outputs)))
        for name in node.outputs:
            _define(graph, name, facts, where)
        complete = row.complete(node.attrs, node.label)
        made = node_facts(node, inputs_of(node, facts))
    except VerifyError:
        raise
    except ZhisuanError as error:
        _fail(error.what, where, error.expected, error.found)
    if complete != node.attrs:
        missing = ", ".join(name for name in complete if name not in node.attrs)
        _fail("an attribute is left to its default", where, "every attribute", f"no {missing}")
    for name, fact in zip(node.outputs, made, strict=True):
        facts[name] = fact
        _compare(graph.values[name], fact, where)


def _define(graph: Graph, name: str, facts: dict[str, Fact], where: str) -> None:
    if name in facts:
        _fail("a value is made twice", where, expected="one definition", found=name)
    if name not in graph.values or graph.values[name].name != name:
        _fail("a value has no type", where, expected=f"an entry for '{name}' in values")


def _compare(value: Value, fact: Fact, where: str) -> None:
    """The declared type must be the one that the rules give."""
    right = Value(value.name, fact.dtype, fact.shape)
    if (value.dtype, value.shape) != (fact.dtype, fact.shape):
        _fail(
            f"the value '{value.name}' is declared with the wrong type",
            where,
            expected=right.type_text,
            found=value.type_text,
        )


def _fail(what: str, where: str, expected: str | None = None, found: str | None = None) -> NoReturn:
    raise VerifyError(what, where=where, expected=expected, found=found)
