"""`zhisuan lab`: tasks to write kernels for, begun and graded, offline."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated

import typer

from zhisuan.cli import options

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Labs: list them, begin one, grade an answer."
)
Name = Annotated[str, typer.Argument(help="The lab's name; `zhisuan lab list` has all.")]
Folder = Annotated[
    Path | None, typer.Argument(help="Folder of your answer [the lab's name].", show_default=False)
]


@app.command("list")
def list_labs() -> None:
    """List the labs."""
    from rich.console import Console

    from zhisuan.labs import catalogue, report

    labs = [catalogue.find(name) for name in catalogue.names()]
    Console(highlight=False).print(report.catalogue_table(labs))


@app.command()
def start(name: Name, folder: Folder = None) -> None:
    """Copy a lab's text and starting point to a folder."""
    from zhisuan.labs import catalogue
    from zhisuan.labs.start import start as begin

    target = folder or Path(name)
    for path in begin(catalogue.find(name), target):
        print(path)
    print(f"\nread {target / 'README.md'}, then: zhisuan lab grade {name} {target}")


@app.command()
def grade(
    name: Name,
    folder: Folder = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Draw the inputs by this seed [a new one].",
                     show_default=False),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="Longest time to spend.")
    ] = 300,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Grade the answer in a folder; exits with 0 if everything is met, else with 1."""
    from rich.console import Console

    from zhisuan.labs import catalogue, report, worker

    lab = catalogue.find(name)
    chosen = secrets.randbelow(10**6) if seed is None else seed
    found = worker.run(lab, folder or Path(name), chosen, seconds)
    if as_json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        Console(highlight=False).print(report.grade_text(lab, found))
    raise typer.Exit(0 if found.passed else 1)
