"""Automatic differentiation: from the calls of ops that led to a result, back to its inputs.

In come calls, latest first, and the gradients of some values; out come the gradients of all values
that were asked for.  Each op's own rule (`registry.gradient`) does its part; what flows into one
value from several uses is added.  Serves tapes of eager code and graphs alike, since rules and
sums are ops on handles; when those are recorded too, the gradients have gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.handle import Handle
from zhisuan.graph.registry import OpDef

Rule = Callable[[Sequence[Any], Sequence[Any], Sequence[Any], Mapping[str, Any]], Sequence[Any]]
"""From gradients of the outputs, inputs, outputs, attributes to gradients of the inputs."""


@dataclass(frozen=True)
class Step:
    """A part of the way: what it read, what it made, and its rule for the way back.

    Without a rule, `flat` says why nothing goes back, or it is an error that something should.
    """

    name: str
    rule: Rule | None
    flat: str
    inputs: tuple[Handle, ...]
    outputs: tuple[Handle, ...]
    attrs: Mapping[str, Any]
    label: str = ""

    @staticmethod
    def of(
        row: OpDef,
        inputs: tuple[Handle, ...],
        outputs: tuple[Handle, ...],
        attrs: Mapping[str, Any],
        label: str = "",
    ) -> Step:
        """One call of an op, its attributes complete."""
        return Step(row.name, row.gradient, row.flat, inputs, outputs, attrs, label)


def go_back(
    steps: Iterable[Step],
    grads: dict[Any, Handle],
    wanted: Callable[[Handle], bool],
) -> dict[Any, Handle]:
    """`grads` (by `Handle.key`) with the gradients of everything wanted that the steps lead to.

    The steps come latest first.  A value that is not `wanted` gets none; integers never do.
    """
    for step in steps:
        flowing = [grads.get(output.key) for output in step.outputs]
        if all(item is None for item in flowing):
            continue
        if not any(wanted(item) for item in step.inputs):
            continue
        rule = step.rule
        if rule is None:
            if step.flat:
                continue
            raise ZhisuanError(
                f"{step.name} has no gradient",
                where=f"node '{step.label}'" if step.label else None,
                expected="an op that can be differentiated between the loss and what it depends on",
                found=step.name,
            )
        found = rule(flowing, step.inputs, step.outputs, step.attrs)
        for value, grad in zip(step.inputs, found, strict=True):
            if grad is None or not wanted(value) or not value.dtype.is_float:
                continue
            before = grads.get(value.key)
            grads[value.key] = grad if before is None else before + grad
    return grads
