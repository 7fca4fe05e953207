"""`make bench`: run all measurements, print them, and record them in docs/measurements.md."""

from __future__ import annotations

import platform
from pathlib import Path

import onnxruntime
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import accuracy, layers, scaling, speed, vgg
from zhisuan.base.files import write_atomically

PAGE = Path(__file__).parent.parent / "docs" / "measurements.md"


def main() -> None:
    console = Console()
    console.print("layers of the style network at 256×256 …")
    per_layer = layers.table(layers.measure(256, 256))
    console.print("host speed …")
    speeds = speed.table([speed.measure(*size) for size in speed.SIZES])
    console.print("accuracy …")
    accuracies = accuracy.table([accuracy.measure(*size) for size in accuracy.SIZES])
    console.print("cost by size …")
    costs = scaling.table([scaling.measure(side) for side in scaling.SIDES])
    console.print("VGG16 …")
    vgg16 = vgg.table(vgg.measure())
    text = f"""# Measurements

Written by `make bench` on {platform.machine()}, Python {platform.python_version()},
onnxruntime {onnxruntime.__version__}. Photograph: the default one.

## Where the cycles go

The style network at 256×256 on `dlp-s`. Utilisation is the graph's multiply-accumulates over
cycles × 1536; a layer is all its launches, first issue to last commit.

{per_layer}

## Host speed

Medians of {speed.ROUNDS} rounds, both sides in turn in one process. "plan" is importing, rewriting
and planning with compiled kernels cached, and not part of the ratio; "values" executes every
instruction; "timing" replays the trace. onnxruntime has all host threads, the simulator one.

{speeds}

## Cost by size

The style network on square pictures, each in a process of its own. Seconds grow in step with the
multiply-accumulates once a picture fills the tiles.

{costs}

## VGG16

One 224×224 picture on one `dlp-s` core, FP16. The simulator has one host thread.

{vgg16}

## Accuracy

PSNR (peak 1.0) of the chip's float output against onnxruntime's in float32.

{accuracies}
"""
    write_atomically(PAGE, text)
    console.print(Markdown(text))


if __name__ == "__main__":
    main()
