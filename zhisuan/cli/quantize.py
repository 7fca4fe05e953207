"""`zhisuan quantize`: a network in 8-bit integers, from example pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zhisuan.graph.ir import Graph
    from zhisuan.quantize import Comparison


def quantize(
    model: Annotated[str, typer.Argument(help="A .onnx or .graph file, or vgg16, or style.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Graph to write [the model's name, -int8.graph].",
                     show_default=False),
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Example picture, or a folder of them; may be repeated.",
                     show_default=False),
    ] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--inputs", help="Example inputs by name, .safetensors; may be repeated.",
                     show_default=False),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option("--size", help="Pictures: longer side in pixels, or HEIGHTxWIDTH [256].",
                     show_default=False),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option("--pixels", help="rgb: 0..1; bgr: 0..255 minus ImageNet's means [rgb].",
                     show_default=False),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Ranges to use instead of measuring them.",
                     show_default=False),
    ] = None,
    percentile: Annotated[
        float, typer.Option("--percentile", help="Of magnitudes: what becomes 127.")
    ] = 100.0,
    per_channel: Annotated[
        bool, typer.Option("--per-channel", help="Weights scaled per output channel.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="Layer to leave in floats; may be repeated.",
                     show_default=False),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what integers cost on the examples.")
    ] = False,
) -> None:  # fmt: skip
    """Put a network into 8-bit integers.

    Runs the examples in floats to see how large tensors grow, and writes the graph of integers
    and the calibration that it was made with.
    """
    from zhisuan import pipeline
    from zhisuan.base.errors import ZhisuanError
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen
    from zhisuan.graph import text
    from zhisuan.models.examples import Examples
    from zhisuan.quantize import compare as compare_graphs

    target = output or Path(f"{Path(model).stem}-int8.graph")
    if target.suffix != ".graph":
        raise ZhisuanError(
            f"cannot write a graph called '{target}'",
            where="--output",
            expected="a name ending in .graph",
            found=target.suffix or "no extension",
            hint=f"--output {target.stem}.graph",
        )
    ranges = target.with_suffix(".calibration.toml")
    read = {f"--inputs {file}": file for file in inputs or []}
    names.check_distinct(
        {"MODEL": Path(model), "--calibration": calibration, **read},
        {"--output": target, "the weights beside it": target.with_suffix(".safetensors"),
         "the calibration beside it": ranges},
    )  # fmt: skip
    given = [pipeline.read_tensors(file) for file in inputs or []]
    wanted = Examples(images or [], given, size, pixels, needed=compare or calibration is None)
    with Outputs() as claimed:
        ranges_file = claimed.file(ranges)
        done = pipeline.quantize(model, wanted, calibration, percentile=percentile,
                                 per_channel=per_channel, keep=keep or [])  # fmt: skip
        text.save_with(done.quantized.graph, target, claimed)
        ranges_file.write_text(done.calibration.to_text(), encoding="utf-8")
        if compare:
            _show(done.graph, compare_graphs(done.graph, done.quantized, done.examples))
    screen.show_written({"graph": target, "calibration": ranges})


def _show(graph: Graph, found: Comparison) -> None:
    """A line per layer, then one per output."""
    from zhisuan.quantize import cosine

    layers = [node for node in graph.nodes if node.op in ("conv2d", "linear")]
    shown = {node.output: node.label for node in layers}
    shown |= {name: name for name in graph.outputs if name in found.sqnr and name not in shown}
    width = max(len(label) for label in shown.values())
    print("signal over noise of the integers, dB")
    for name, label in shown.items():
        print(f"{label:<{width}}  {found.sqnr[name]:5.1f}")
    for name in graph.outputs:
        pairs = list(zip(found.real, found.integer, strict=True))
        worst = min(cosine(real[name], ours[name]) for real, ours in pairs)
        print(f"\n{name}: cosine to floats at least {worst:.4f} over {len(pairs)} examples")
