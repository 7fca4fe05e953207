"""`python -m benchmarks.pictures`: the pictures of the README, made by the program itself."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from rich.progress import track

from zhisuan import pipeline
from zhisuan.base.files import write_atomically
from zhisuan.report.timeline_svg import timeline_svg

FOLDER = Path(__file__).parent.parent / "docs" / "images"
STYLES = ("1", "5", "8", "15", "19", "24")
SIZE = 512
TILE = (384, 256)
"""Width and height of a style in the sheet; the photograph is twice as high and wide."""


def sheet() -> Image.Image:
    """The photograph at the left, six styles of it in two rows at the right."""
    width, height = TILE
    page = Image.new("RGB", (2 * width + 3 * width, 2 * height), "white")
    for index, style in enumerate(track(STYLES, "styles")):
        run = pipeline.style(None, style, SIZE)
        page.paste(run.photo.resize((2 * width, 2 * height)), (0, 0))
        place = (2 * width + index % 3 * width, index // 3 * height)
        page.paste(run.picture.resize(TILE), place)
    return page


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    sheet().save(FOLDER / "styles.jpg", quality=88)
    report = pipeline.style(None, "19", "256x256").report
    write_atomically(FOLDER / "timeline.svg", timeline_svg(report))
    labels = [launch.label for launch in report.trace.launches]
    first = int(report.timing.launch_start[labels.index("contract.2/norm")])
    last = int(report.timing.launch_end[labels.index("res.0.0")])
    write_atomically(FOLDER / "timeline-layer.svg", timeline_svg(report, first, last))


if __name__ == "__main__":
    main()
