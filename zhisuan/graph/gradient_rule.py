"""A gradient rule: a function whose parameters say by their names what it reads.

    @gradient("max_pool_indices")
    def _(g_y, x, indices, strides): ...

`g` is the gradient of the only output, `g_y` that of output `y` (None when nothing flows into it);
a parameter named like an input, an output or an attribute of the op is that one.  The rule gives
the gradient of each input in order, None for one that has none; of a single input just that.  It
is written in handles (`handle`), so it works on tensors now and in graphs later, and gradients
have gradients.  What a rule does not name need not be kept until the way back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GradientRule:
    """`function` and, per parameter, where its argument comes from."""

    function: Callable[..., Any]
    sources: tuple[tuple[str, str, int | str], ...]  # parameter, kind, position or name

    @property
    def reads_inputs(self) -> frozenset[int]:
        """Positions of the inputs that the rule names; a variadic one stands for the rest."""
        return frozenset(at for _, kind, at in self.sources if kind in ("input", "rest"))  # pyright: ignore

    @property
    def reads_outputs(self) -> frozenset[int]:
        return frozenset(at for _, kind, at in self.sources if kind == "output")  # pyright: ignore

    def __call__(
        self,
        grads: Sequence[Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        attrs: Mapping[str, Any],
    ) -> tuple[Any, ...]:
        """A gradient, or None, per input."""
        values: dict[str, Any] = {}
        for name, kind, at in self.sources:
            if kind == "grad":
                values[name] = grads[at]  # pyright: ignore
            elif kind == "input":
                values[name] = inputs[at] if at < len(inputs) else None  # pyright: ignore
            elif kind == "rest":
                values[name] = tuple(inputs[at:])  # pyright: ignore
            elif kind == "output":
                values[name] = outputs[at]  # pyright: ignore
            else:
                values[name] = attrs[at]  # pyright: ignore
        found = self.function(**values)
        result = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if len(result) < len(inputs):
            raise AssertionError(f"a gradient is missing: {self.function}")
        return result[: len(inputs)]


def parse_rule(
    function: Callable[..., Any],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    attrs: tuple[str, ...],
    variadic: bool,
) -> GradientRule:
    """The rule; a parameter that names nothing of the op is a fault of the declaration."""
    sources: list[tuple[str, str, int | str]] = []
    for name in inspect.signature(function).parameters:
        if name == "g" and len(outputs) == 1:
            sources.append((name, "grad", 0))
        elif name.startswith("g_") and name[2:] in outputs:
            sources.append((name, "grad", outputs.index(name[2:])))
        elif name in inputs:
            at = inputs.index(name)
            last = variadic and at == len(inputs) - 1
            sources.append((name, "rest" if last else "input", at))
        elif name in outputs:
            sources.append((name, "output", outputs.index(name)))
        elif name in attrs:
            sources.append((name, "attr", name))
        else:
            raise AssertionError(f"a gradient rule reads '{name}', which its op does not have")
    return GradientRule(function, tuple(sources))
