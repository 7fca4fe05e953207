"""Grading: a folder with somebody's files → points by criterion.

Comes in: a lab, a folder, a seed.  Goes out: a `Grade`, criterion by criterion as they are
judged.  Stops at nothing that an answer does, but at mistakes in how the grader is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zhisuan.arch import load as machines
from zhisuan.base.errors import ZhisuanError
from zhisuan.labs import kinds
from zhisuan.labs import material as materials
from zhisuan.labs.kinds import Outcome
from zhisuan.labs.lab_file import Lab
from zhisuan.labs.op_work import OpWork
from zhisuan.labs.work import Work

ANSWER = "answer"


@dataclass(frozen=True)
class Judged:
    """A criterion of a part, and its outcome."""

    part: str
    criterion: str
    most: int
    outcome: Outcome


@dataclass(frozen=True)
class Grade:
    """Everything that was judged, in the order of the grade file."""

    lab: str
    seed: int
    judged: tuple[Judged, ...]

    @property
    def points(self) -> int:
        return sum(item.outcome.points for item in self.judged)

    @property
    def most(self) -> int:
        return sum(item.most for item in self.judged)

    @property
    def passed(self) -> bool:
        return all(item.outcome.passed for item in self.judged)

    @property
    def first_failure(self) -> Judged | None:
        """What failed first, and says why."""
        failed = [item for item in self.judged if not item.outcome.passed]
        return next((item for item in failed if item.outcome.why), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "lab": self.lab,
            "seed": self.seed,
            "points": self.points,
            "most": self.most,
            "passed": self.passed,
            "criteria": [
                {"part": item.part, "criterion": item.criterion, "most": item.most}
                | asdict(item.outcome)
                for item in self.judged
            ],
        }


def judged(lab: Lab, folder: Path, seed: int) -> Iterator[Judged]:
    """Each criterion's outcome, one after the other."""
    material, machine = materials.load(lab), machines.load(lab.machine)
    for part in lab.parts:
        file, answer = folder / part.file, lab.folder / ANSWER / part.file
        if part.op:
            context = OpWork(part, material, file, seed)
        else:
            context = nullcontext(Work(part, material, machine, file, answer, seed))
        with context as work:
            for criterion in part.criteria:
                outcome = kinds.judge(criterion, work)
                yield Judged(part.name, criterion.name, criterion.points, outcome)


def grade(lab: Lab, folder: Path, seed: int) -> Grade:
    """The whole grade, in this process."""
    check_folder(lab, folder)
    return Grade(lab.name, seed, tuple(judged(lab, folder, seed)))


def check_folder(lab: Lab, folder: Path) -> None:
    """Refuse a folder that holds none of the lab's files."""
    files = [part.file for part in lab.parts]
    if not any((folder / file).is_file() for file in files):
        raise ZhisuanError(
            f"there is nothing to grade for lab '{lab.name}'",
            where=str(folder),
            expected=", ".join(files),
            found="no such folder" if not folder.is_dir() else "none of them",
            hint=f"zhisuan lab start {lab.name} {folder}",
        )
