"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Machine = Annotated[
    str | None,
    typer.Option("--machine", help="Machine: a preset's name or a .toml file.",
                 show_default=False),
]  # fmt: skip
Report = Annotated[
    Path | None, typer.Option("--report", help="Report to write.", show_default=False)
]
Trace = Annotated[Path | None, typer.Option("--trace", help="Trace to write.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print every figure as JSON instead of tables.")]
