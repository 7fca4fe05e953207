"""Every lab: the reference answer gets all points, every seeded wrong answer fails where it should.

The wrong answers are `labs/*/wrong/`; `lab.toml` names the criterion that each fails first.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from zhisuan.labs import catalogue
from zhisuan.labs.grade import ANSWER, Judged, grade, judged
from zhisuan.labs.lab_file import Lab, Part
from zhisuan.labs.start import START, TEXTS

SEED = 7
LABS = {name: catalogue.find(name) for name in catalogue.names()}
WRONG = [(name, file) for name, lab in LABS.items() for file in lab.wrong]


def first_failed(lab: Lab, folder: Path) -> Judged | None:
    """The first criterion that is not met; nothing is judged behind it."""
    return next((item for item in judged(lab, folder, SEED) if not item.outcome.passed), None)


def part_of(lab: Lab, wrong: Path) -> Part:
    """The part that a wrong answer is of."""
    return next((p for p in lab.parts if wrong.name.startswith(f"{p.name}.")), lab.parts[0])


def handed_in(lab: Lab, wrong: Path, folder: Path) -> Path:
    """A folder with the reference answer, one file of which is the wrong one."""
    shutil.copytree(lab.folder / ANSWER, folder)
    shutil.copy(wrong, folder / part_of(lab, wrong).file)
    return folder


@pytest.mark.parametrize("name", LABS)
def test_the_answer_has_all_points(name: str) -> None:
    lab = LABS[name]
    found = grade(lab, lab.folder / ANSWER, SEED)
    failed = [(item.criterion, item.outcome) for item in found.judged if not item.outcome.passed]
    assert not failed
    assert found.points == found.most == 100


@pytest.mark.parametrize("name", LABS)
def test_the_start_compiles_and_is_told_what_to_mend(name: str) -> None:
    lab = LABS[name]
    found = grade(lab, lab.folder / START, SEED)
    assert found.judged[0].outcome.passed
    assert not found.passed
    assert found.points <= 10
    assert found.first_failure is not None


@pytest.mark.parametrize(("name", "file"), WRONG)
def test_a_wrong_answer_is_rejected(name: str, file: str, tmp_path: Path) -> None:
    lab = LABS[name]
    wrong = lab.folder / "wrong" / file
    alone = replace(lab, parts=(part_of(lab, wrong),))  # the others are the reference answer's
    failed = first_failed(alone, handed_in(lab, wrong, tmp_path / "in"))
    assert failed is not None
    assert failed.criterion == lab.wrong[file]
    assert failed.outcome.why


@pytest.mark.parametrize("name", LABS)
def test_a_lab_is_whole(name: str) -> None:
    lab = LABS[name]
    files = {path.name for path in (lab.folder / "wrong").iterdir()}
    assert files == set(lab.wrong)
    assert len(files) >= 5
    for text in TEXTS:
        assert len((lab.folder / text).read_text(encoding="utf-8")) > 1000
    for folder in (START, ANSWER):
        names = {path.name for path in (lab.folder / folder).iterdir()}
        assert {part.file for part in lab.parts} <= names
