"""`make validate`: published figures beside ours, into docs/validation.md."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.anchors import TAGS, Anchor, Answer, bounds, diannao, exercise, nvdla, power, tpu
from benchmarks.anchors import silicon as mlu
from zhisuan.base.files import write_atomically

PAGE = Path(__file__).parent.parent / "docs" / "validation.md"
EXPLAIN = 0.10
"""Relative error from which a note is due."""

ANCHORS = (
    exercise.anchor, diannao.diannao, power.peak, diannao.dadiannao, nvdla.anchor, tpu.anchor,
    mlu.anchor, bounds.anchor, power.power, power.tables, power.areas,
)  # fmt: skip
UNANSWERED = {
    "DianNao against a SIMD core (117.87× the speed, 21.08× less energy)": "needs a model of that "
    "core; we have none",
    "Cambricon's code length and instruction mix": "not a machine's answer: its networks in "
    "assembly are compared in docs/cambricon.md",
    "VGG19, ResNet-18, -50, -152, YOLOv3, BERT: GMAC and parameters": "no graphs of them yet",
    "Johnson's style network: weights and GMAC": "ours is another network",
    "Style transfer lab: 100 steps of Adam": "needs gradients",
}


def section(anchor: Anchor) -> str:
    """An anchor as Markdown: heading, method, table, notes."""
    lines = [f"## {anchor.title}", "", anchor.method, ""]
    lines += ["| | published | ours | error | asked for | tag |", "|---|---:|---:|---:|---:|:-:|"]
    lines += [_line(answer) for answer in anchor.answers]
    notes = [f"- {answer.what}: {answer.note}." for answer in anchor.answers if answer.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _line(answer: Answer) -> str:
    error = "–" if answer.error is None else f"{100 * answer.error:+.2f} %"
    ours = "–" if answer.ours is None else f"{_number(answer.ours)} {answer.unit}"
    asked = {None: "", 0: "exact"}.get(answer.bound, f"{100 * (answer.bound or 0):g} %")
    theirs = f"{_number(answer.theirs)} {answer.unit}"
    return f"| {answer.what} | {theirs} | {ours} | {error} | {asked} | {answer.tag} |"


def _number(value: float) -> str:
    """Whole numbers from a thousand on, else four significant digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def faults(answers: list[Answer]) -> list[str]:
    """Answers outside what is asked for, or far off without a word."""
    found = []
    for answer in answers:
        error = abs(answer.error or 0.0)
        if answer.bound is not None and error > answer.bound:
            found.append(f"{answer.what}: {100 * error:.2f} % off, {100 * answer.bound:g} % asked")
        if error > EXPLAIN and not answer.note:
            found.append(f"{answer.what}: {100 * error:.1f} % off and no word why")
    return found


def page(anchors: list[Anchor]) -> str:
    tags = ", ".join(f"{tag} {meaning}" for tag, meaning in TAGS.items())
    head = f"""# Validation

Written by `make validate`. Published figures beside what our machines answer, by the same replay
that times every program unless a section says otherwise. The tag tells where the published figure
is from: {tags}.
"Asked for" is the error that the project allows itself.
"""
    missing = "\n".join(f"- {what}: {why}." for what, why in UNANSWERED.items())
    parts = [head, *(section(anchor) + "\n" for anchor in anchors)]
    return "\n".join([*parts, "## Unanswered", "", missing, ""])


def main() -> None:
    console = Console()
    anchors = []
    for make in ANCHORS:
        anchor = make()
        anchors.append(anchor)
        console.print(f"{anchor.title}: {len(anchor.answers)} figures")
    text = page(anchors)
    write_atomically(PAGE, text)
    console.print(Markdown(text))
    wrong = faults([answer for anchor in anchors for answer in anchor.answers])
    for fault in wrong:
        console.print(f"error: {fault}")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
