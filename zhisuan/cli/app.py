"""The commands and their help, gathered; each command's module does its work when called."""

from __future__ import annotations

from typing import Annotated

import typer

from zhisuan import __version__
from zhisuan.cli import (
    debug,
    lab,
    machine,
    profile,
    programs,
    quantize,
    resume,
    style,
    sweep,
    timing,
    translate,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Zhisuan: a network, its compiler and a simulated deep-learning processor.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"zhisuan {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and leave.", callback=_show_version,
                     is_eager=True),
    ] = False,
) -> None:  # fmt: skip
    """Zhisuan: a network, its compiler and a simulated deep-learning processor."""


app.command("style")(style.style)
app.command("run")(resume.run)
app.command("compile")(resume.compile_model)
app.command("quantize")(quantize.quantize)
app.command("asm")(translate.asm)
app.command("disasm")(translate.disasm)
app.command("time")(timing.time)
app.command("debug")(debug.debug)
app.command("dap")(debug.dap)
app.command("profile")(profile.profile)
app.command("sweep")(sweep.sweep)
app.add_typer(programs.app, name="bcl")
app.add_typer(machine.app, name="machine")
app.add_typer(lab.app, name="lab")
