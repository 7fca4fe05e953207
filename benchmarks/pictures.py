"""`python -m benchmarks.pictures`: the pictures of the README, made by the program itself."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.progress import track

from zhisuan import pipeline
from zhisuan.base.files import write_atomically
from zhisuan.cli.launch import launch
from zhisuan.debug.prompt import PROMPT
from zhisuan.labs import catalogue, grade
from zhisuan.labs.report import grade_text
from zhisuan.report.profile.page import page
from zhisuan.report.profile.profile import Profile, profile
from zhisuan.report.profile.sources import read_sources
from zhisuan.report.profile.still import memory_svg, source_svg
from zhisuan.report.timeline_svg import timeline_svg

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "images"
EXAMPLES = ROOT / "examples" / "profiling"
STYLES = ("1", "5", "8", "15", "19", "24")
SIZE = 512
PAGE = (1300, 1560)
"""Width and height of the window in which a page is shown."""
DEBUGGING = ROOT / "examples" / "debugging"
TILE = (384, 256)
"""Width and height of a style in the sheet; the photograph is twice as high and wide."""


def sheet() -> Image.Image:
    """The photograph at the left, six styles of it in two rows at the right."""
    width, height = TILE
    sheet_of = Image.new("RGB", (2 * width + 3 * width, 2 * height), "white")
    for index, style in enumerate(track(STYLES, "styles")):
        run = pipeline.style(None, style, SIZE)
        sheet_of.paste(run.photo.resize((2 * width, 2 * height)), (0, 0))
        place = (2 * width + index % 3 * width, index // 3 * height)
        sheet_of.paste(run.picture.resize(TILE), place)
    return sheet_of


def debugger() -> str:
    """The terminal of a debugging session, as docs/debugger.md tells it."""
    command = [sys.executable, "-m", "zhisuan.cli", "debug", "scaled.mlu", "--machine", "mlu270",
               "-x", "session.txt", "--batch"]  # fmt: skip
    done = subprocess.run(command, cwd=DEBUGGING, capture_output=True, text=True, check=True)
    console = Console(record=True, width=100, file=io.StringIO())
    console.print("$ zhisuan debug scaled.mlu --machine mlu270", style="bold")
    for line in done.stdout.splitlines():
        if line.startswith(PROMPT):
            console.print(PROMPT, style="green", end="")
            console.print(line.removeprefix(PROMPT), style="bold", markup=False, highlight=False)
        else:
            style = "cyan" if re.match(r"\d+ {2,}", line) else None
            console.print(line, style=style, markup=False, highlight=False)
    return console.export_svg(title="zhisuan debug", unique_id="debug")


def softmax(number: int) -> Profile:
    """The profile of a kernel of examples/profiling, 256 rows of 1,024 numbers."""
    path = EXAMPLES / f"softmax_{number}.bcl"
    arguments = ["out=f32[262144]", "in=f32[262144]", "rows=256"]
    report = launch(pipeline.load_program(path), None, arguments, None).report
    return profile(report, read_sources(report.programs, [EXAMPLES]))


def profiles() -> None:
    """Source lines of the second attempt and of the last, what NRAM holds in the last, and the
    page of the second as a browser shows it, where there is one."""
    second, last = softmax(2), softmax(3)
    write_atomically(FOLDER / "profile.svg", source_svg(second, "softmax_2.bcl"))
    write_atomically(FOLDER / "profile-lines.svg", source_svg(last, "softmax_3.bcl"))
    write_atomically(FOLDER / "profile-memory.svg", memory_svg(last, 0, 0))
    browser = shutil.which("chromium")
    if browser is None:
        print("profile-page.png stays as it is: there is no chromium")
        return
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "page.html").write_text(page(second), encoding="utf-8")
        shot = Path(place) / "page.png"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={place}",
             f"--window-size={PAGE[0]},{PAGE[1]}", f"--screenshot={shot}",
             f"file://{place}/page.html"],
            check=True, capture_output=True,
        )  # fmt: skip
        picture = Image.open(shot).convert("RGB").crop((0, 0, PAGE[0] - 20, PAGE[1]))
        colours = picture.quantize(64, dither=Image.Dither.NONE)
        colours.save(FOLDER / "profile-page.png", optimize=True)


def graded(lab_name: str, file: str, seed: int) -> str:
    """What the grader says of a seeded wrong answer, as a terminal shows it."""
    lab = catalogue.find(lab_name)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(lab.folder / "wrong" / file, Path(folder) / lab.parts[0].file)
        found = grade.grade(lab, Path(folder), seed)
    console = Console(record=True, width=104, highlight=False, file=io.StringIO())
    console.print(grade_text(lab, found))
    console.print()  # the last line is cut off below its letters
    return console.export_svg(title=f"zhisuan lab grade {lab_name}", unique_id="grade")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    profiles()
    write_atomically(FOLDER / "debugger.svg", debugger())
    write_atomically(FOLDER / "lab.svg", graded("softmax", "race.mlu", 7))
    sheet().save(FOLDER / "styles.jpg", quality=88)
    run = pipeline.style(None, "19", "256x256").report
    write_atomically(FOLDER / "timeline.svg", timeline_svg(run))
    labels = [launch.label for launch in run.trace.launches]
    first = int(run.timing.launch_start[labels.index("contract.2/norm")])
    last = int(run.timing.launch_end[labels.index("res.0.0")])
    write_atomically(FOLDER / "timeline-layer.svg", timeline_svg(run, first, last))


if __name__ == "__main__":
    main()
