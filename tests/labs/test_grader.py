"""The grader: what it says of answers that misbehave, its commands, its grade files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.cli import main
from zhisuan.labs import catalogue, kinds, lab_file, material, report, worker
from zhisuan.labs.grade import ANSWER, Grade, grade
from zhisuan.labs.work import Work

SOFTMAX = catalogue.find("softmax")
HEAD = "#include <bang.h>\n__mlu_entry__ void softmax(float *out, const float *in, int rows, int n)"


def graded(text: str, folder: Path) -> Grade:
    (folder / "softmax.mlu").write_text(text, encoding="utf-8")
    return grade(SOFTMAX, folder, 7)


def first(found: Grade) -> tuple[str, str]:
    assert found.first_failure is not None
    return found.first_failure.criterion, found.first_failure.outcome.why


def test_an_error_of_the_compiler_shows_the_line(tmp_path: Path) -> None:
    criterion, why = first(graded(HEAD + " {\n  __bang_ad(out, in, in, n);\n}\n", tmp_path))
    assert criterion == "compiles"
    assert "softmax.mlu:3:3" in why
    assert "__bang_ad(out, in, in, n);" in why


def test_another_signature_is_told(tmp_path: Path) -> None:
    found = graded("__mlu_entry__ void softmax(float *out, float rows) {}\n", tmp_path)
    assert first(found) == (
        "compiles",
        "error: kernel 'softmax' has other parameters than the lab's\n"
        "  where:    softmax.mlu:1\n"
        "  expected: softmax(ptr out, ptr in, i32 rows, i32 n)\n"
        "  found:    softmax(ptr out, f32 rows)",
    )
    assert found.points == 0
    assert {item.outcome.note for item in found.judged[1:]} == {"not tried"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{}", "no instruction wrote it"),
        ("{ exit(0); }", "no instruction wrote it"),
        ("{ out[0] = 1; printf(\"passed\"); }", "out[0, 0] is 1, not "),
        ("{ for (long i = 0;; i++) out[i * 4096] = i; }", "error: write past the end of gdram"),
        ("{ ((float *)in)[0] = 1; for (volatile int i = 0; i >= 0;) ; }", "error: the kernel does"),
        ("{ float *volatile p = 0; p[0] = 1; }", "error: null pointer"),
    ],
)  # fmt: skip
def test_what_a_kernel_does_is_told(
    body: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = graded(HEAD + body, tmp_path)
    criterion, why = first(found)
    assert criterion == "right values"
    assert why.startswith("with rows = 32, n = 128:\n")
    assert told in why
    assert found.points == 5


def test_inputs_follow_the_seed(tmp_path: Path) -> None:
    part, drawn = SOFTMAX.parts[0], material.load(SOFTMAX)
    answer = SOFTMAX.folder / ANSWER / part.file
    case = part.criteria[1].cases[0]
    inputs = []
    for seed in (1, 1, 2):
        work = Work(part, drawn, load(SOFTMAX.machine), answer, answer, seed)
        inputs.append(work.run(case).done.inputs["in"])
    assert np.array_equal(inputs[0], inputs[1])
    assert not np.isclose(inputs[0], inputs[2]).any()


def test_a_changed_input_is_a_wrong_answer(tmp_path: Path) -> None:
    answer = (SOFTMAX.folder / ANSWER / "softmax.mlu").read_text(encoding="utf-8")
    end = "  __sync_io();\n}"
    text = answer.replace(end, "  __sync_io();\n  if (!taskId) ((float *)in)[1] = 9;\n}")
    assert text != answer
    assert first(graded(text, tmp_path))[1].endswith("'in' is an input, and the kernel changed it")


# -- the process --------------------------------------------------------------------------


def test_a_process_that_leaves_keeps_what_was_judged(tmp_path: Path) -> None:
    lab = catalogue.find("power_difference")
    kernel = (lab.folder / "start" / "power_difference.mlu").read_bytes()
    (tmp_path / "power_difference.mlu").write_bytes(kernel)
    (tmp_path / "op.py").write_text("print('100/100', flush=True)\nimport os\nos._exit(0)\n")
    found = worker.run(lab, tmp_path, 7, 60)
    assert found.judged[0].outcome.passed
    left = next(item for item in found.judged if item.part == "op")
    assert left.outcome.why == "the grading process ended with status 0"
    assert found.points == 5


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    lab = catalogue.find("power_difference")
    (tmp_path / "op.py").write_text("while True: pass\n")
    found = worker.run(lab, tmp_path, 7, 5)
    assert [item.outcome.note for item in found.judged if item.part == "op"] == ["not reached"] * 4
    assert "longer than 5 s" in found.judged[8].outcome.why


# -- the command --------------------------------------------------------------------------


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert isinstance(left.value.code, int)
    return left.value.code


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("lab", "list") == 0
    assert "softmax" in capsys.readouterr().out
    assert run("lab", "start", "softmax", "mine") == 0
    assert {path.name for path in Path("mine").iterdir()} == {
        "softmax.mlu", "README.md", "README.zh.md",
    }  # fmt: skip
    capsys.readouterr()
    assert run("lab", "grade", "softmax", "mine", "--seed", "7", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["seed"], told["points"], told["most"], told["passed"]) == (7, 5, 100, False)
    assert told["criteria"][1]["why"].startswith("with rows = 32, n = 128:")
    assert run("lab", "start", "softmax", "mine") == 1
    assert "the folder has such files already" in capsys.readouterr().err
    assert run("lab", "grade", "softmax", "none") == 1
    assert "there is nothing to grade for lab 'softmax'" in capsys.readouterr().err
    assert run("lab", "grade", "sofmax") == 1
    assert "did you mean 'softmax'?" in capsys.readouterr().err


def test_a_right_answer_leaves_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    folder = SOFTMAX.folder / ANSWER
    assert run("lab", "grade", "softmax", str(folder), "--seed", "7") == 0
    assert "100/100" in capsys.readouterr().out


def test_a_report_fits_a_screen(tmp_path: Path) -> None:
    found = graded("#include <bang.h>\n" + "bad!\n" * 40, tmp_path)
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(report.grade_text(SOFTMAX, found))
    assert "first to mend: compiles" in out.getvalue()
    assert len(out.getvalue().splitlines()) <= 45


# -- grade files --------------------------------------------------------------------------

GOOD = """
title = { en = "A", zh = "B" }
minutes = 1
machine = "dlp-s"
[[part]]
name = "kernel"
file = "k.mlu"
kernel = "k"
parameters = ["ptr out"]
[[part.criterion]]
kind = "scalar"
name = "few"
points = 3
most = 1.0
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "scalar"', 'kind = "scaler"', "criterion 'few': kind"),
        ("most = 1.0", "", "the option 'most'"),
        ("most = 1.0", "most = 1.0\nleast = 2", "'least'"),
        ("minutes = 1\n", "", "'minutes'"),
        ('"ptr out"', '"out"', "a kind and a name"),
        ('kernel = "k"', 'kernel = "k"\ntype = "UNION3"', "type"),
        ("minutes = 1", "minutes = ", "not a TOML file"),
    ],
)
def test_a_mistake_in_a_grade_file_is_named(old: str, new: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / lab_file.FILE
    path.write_text(GOOD, encoding="utf-8")
    assert lab_file.read(tmp_path, kinds.options()).points == 3
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ZhisuanError) as caught:
        lab_file.read(tmp_path, kinds.options())
    assert told in str(caught.value)
