"""A kernel's parameters in one line, however many there are.

In: a kernel.  Out: text for messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zhisuan.isa.program import Kernel

SHOWN = 6
"""Parameters spelled out; of more, only the first ones are."""


def parameters(kernel: Kernel) -> str:
    """`ptr x, i64 n`; `ptr a, … of 43` when there are many; `none` when there are none."""
    texts = [f"{parameter.kind} {parameter.name}" for parameter in kernel.parameters]
    if len(texts) > SHOWN + 1:
        return ", ".join(texts[:SHOWN]) + f", … ({len(texts)} in all)"
    return ", ".join(texts) or "none"


def arguments(names: list[str]) -> str:
    """How to give these on the command line: `--arg x=… --arg n=…`."""
    if len(names) > SHOWN + 1:
        return "run the .plan that launches it, or give each as --arg NAME=VALUE"
    return " ".join(f"--arg {name}=…" for name in names)
