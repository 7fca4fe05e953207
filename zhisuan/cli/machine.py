"""`zhisuan machine list|show|diff|check`: the machines that exist, and their numbers."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at machines.")
Name = Annotated[str, typer.Argument(help="A preset's name or a .toml file.")]


@app.command("list")
def list_presets() -> None:
    """The presets, with what they are."""
    from zhisuan.arch.load import DEFAULT, load, preset_names

    names = preset_names()
    width = max(len(name) for name in names)
    for name in names:
        note = "  (default)" if name == DEFAULT else ""
        print(f"{name:<{width}}  {load(name).title}{note}")


@app.command()
def show(name: Name) -> None:
    """Every number of a machine and where it is from."""
    from zhisuan.arch.describe import describe, shown
    from zhisuan.arch.load import load

    machine = load(name)
    print(machine.title)
    rows = [(key, shown(value), unit, source) for key, value, unit, source in describe(machine)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for key, value, unit, source in rows:
        print(f"{key:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {source}".rstrip())


@app.command()
def diff(first: Name, second: Name) -> None:
    """The values in which two machines differ."""
    from zhisuan.arch.describe import differences, shown
    from zhisuan.arch.load import load

    machines = load(first), load(second)
    found = differences(*machines)
    if not found:
        print("no value differs")
        return
    rows = [("", machines[0].name, machines[1].name, "")]
    rows += [(key, shown(a), shown(b), unit) for key, a, b, unit in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for key, a, b, unit in rows:
        print(f"{key:<{widths[0]}}  {a:>{widths[1]}}  {b:>{widths[2]}} {unit}".rstrip())


@app.command()
def check(name: Name) -> None:
    """Read a machine file; say what is wrong with it."""
    from zhisuan.arch.check import check as keys_without_source
    from zhisuan.arch.describe import describe
    from zhisuan.arch.load import load

    machine = load(name)
    print(f"{machine.name}: {len(describe(machine))} values, all of them possible")
    for key in keys_without_source(machine):
        print(f"  no source is named for {key}")
