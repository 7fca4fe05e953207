"""What commands print while they work and when they are done.

In: progress calls, reports, paths.  Out: a bar on standard error, the report on standard
output.  It opens no file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zhisuan.base.progress import Bar, bar

if TYPE_CHECKING:
    import numpy as np

    from zhisuan.report.model import RunReport


class LayerProgress:
    """A progress callback that draws one bar over all launches, labelled by layer."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._bar: Bar | None = None
        self._done = 0

    def __call__(self, done: int, total: int, label: str) -> None:
        """`done` of `total` launches are over; `label` is the layer that comes now."""
        if self._bar is None:
            self._bar = self._stack.enter_context(bar("layer", total))
        self._bar.label(label)
        self._bar.advance(done - self._done)
        self._done = done


@contextmanager
def layer_progress() -> Iterator[LayerProgress]:
    """The callback to hand to the pipeline; its bar disappears at the end."""
    with ExitStack() as stack:
        yield LayerProgress(stack)


def show_report(report: RunReport, as_json: bool) -> None:
    """The tables, or every figure as JSON, on standard output."""
    if as_json:
        from zhisuan.report.model import to_json

        json.dump(to_json(report), sys.stdout, indent=2)
        print()
    else:
        from zhisuan.report.table import print_report

        print_report(report)


def show_costs(report: RunReport) -> None:
    """Energy and chip area part by part, on standard output."""
    from rich.console import Console

    from zhisuan.report.costs import cost_tables

    console = Console()
    for table in cost_tables(report):
        console.print()
        console.print(table)


def show_written(written: Mapping[str, Path], as_json: bool = False) -> None:
    """What was written where, on standard output; on standard error beside JSON."""
    stream = sys.stderr if as_json else sys.stdout
    if written:
        print(file=stream)
    width = max((len(name) for name in written), default=0)
    for name, path in written.items():
        print(f"{name:<{width}}  {path}", file=stream)


def show_tensors(tensors: Mapping[str, np.ndarray]) -> None:
    """A line per tensor: name, type, shape and the range of its values."""
    import numpy as np

    print()
    width = max((len(name) for name in tensors), default=0)
    for name, value in tensors.items():
        shape = "×".join(map(str, value.shape)) or "scalar"
        text = f"{name:<{width}}  {value.dtype} {shape}"
        if value.size:
            wide = value.astype(np.float64)
            text += f", {wide.min():g} to {wide.max():g}, mean {wide.mean():g}"
        print(text)
