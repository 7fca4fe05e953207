"""`zhisuan style`: a photograph, restyled by the network on the simulated chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zhisuan.cli import check as checks
from zhisuan.cli import options
from zhisuan.cli.check import Check


def style(
    photo: Annotated[
        Path | None, typer.Argument(help="Photograph; without one, a quokka.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Picture to write [PHOTO-style-N.png].",
                     show_default=False),
    ] = None,
    style: Annotated[str, typer.Option("--style", help="Style, 0 to 25.")] = "19",
    size: Annotated[
        str, typer.Option("--size", help="Longer side in pixels, or HEIGHTxWIDTH.")
    ] = "384",
    machine: Annotated[
        str, typer.Option("--machine", help="Machine: a preset's name or a .toml file.")
    ] = "dlp-s",
    int8: Annotated[
        bool, typer.Option("--int8", help="Convolve 8-bit integers instead of FP16.")
    ] = False,
    emit: Annotated[
        Path | None,
        typer.Option("--emit", help="Folder for every step as a file.", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Report to write [the picture's name, .html].",
                     show_default=False),
    ] = None,
    trace: options.Trace = None,
    check: Check = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Restyle a photograph on the simulated chip.

    Writes the picture and a report on what the chip did, and prints a summary.
    """
    from zhisuan import pipeline
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen

    stem = photo.stem if photo is not None else "photo"
    if output is None:
        output = Path(f"{stem}-style-{style}.png")
    kind = names.picture_format(output)
    asked = checks.names(check)
    report = report or output.with_suffix(".html")
    names.check_distinct(
        {"PHOTO": photo},
        {"--output": output, "--report": report, "--trace": trace, "--emit": emit},
    )
    with Outputs() as claimed:
        picture_file, report_file = claimed.file(output), claimed.file(report)
        trace_file = claimed.file(trace) if trace is not None else None
        emit_folder = claimed.folder(emit) if emit is not None else None
        with screen.layer_progress() as progress:
            done = pipeline.style(photo, style, size, machine, emit_folder, progress, asked, int8)
        done.picture.save(picture_file, kind)
        _write_page(done.report, report_file)
        if trace_file is not None:
            trace_file.write_bytes(done.trace.to_bytes())
    screen.show_report(done.report, as_json)
    written = {"picture": output, "report": report, "trace": trace, "steps": emit}
    screen.show_written({k: v for k, v in written.items() if v is not None}, as_json)


def _write_page(report, path: Path) -> None:  # type: ignore[no-untyped-def]
    from zhisuan.report.html import page

    path.write_text(page(report), encoding="utf-8", errors="replace")
