"""`zhisuan bcl run`, `build` and `asm` from the command line."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from zhisuan.isa.program import Program

PROGRAMS = Path(__file__).parent.parent / "programs"


@pytest.fixture
def said(here: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; its status and what it and the program it ran printed."""
    from zhisuan.cli import main

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        texts = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, texts.out, texts.err

    return call


def copy(name: str, here: Path) -> None:
    shutil.copy(PROGRAMS / name, here / name)


def test_run_tells_what_the_chip_did(said: Callable, here: Path) -> None:
    copy("vector_add.mlu", here)
    status, out, err = said("bcl", "run", "vector_add.mlu", "512", "--machine", "mlu270",
                            "--report", "page.html", "--trace", "run.trace")  # fmt: skip
    assert (status, err) == (0, "")
    assert out.startswith("n 512: 0 3 6 … 1533, 0 wrong\n\nvector_add.mlu on mlu270\n")
    assert "\nadd " in out
    assert "vector_add.mlu" in (here / "page.html").read_text()
    assert said("time", "run.trace", "--machine", "mlu370")[0] == 0


def test_a_program_keeps_its_status_and_its_output(said: Callable, here: Path) -> None:
    copy("classes.mlu", here)
    status, out, _ = said("bcl", "run", "-q", "classes.mlu")
    assert status == 7
    assert out.endswith("leaving\nthe last word of a static object\n")


def test_a_macro_and_a_built_program(said: Callable, here: Path) -> None:
    copy("grid.mlu", here)
    assert said("bcl", "build", "grid.mlu", "-D", "WIDTH=3", "-o", "grid")[0] == 0
    done = subprocess.run([here / "grid"], capture_output=True, text=True)
    assert done.stdout.startswith("0: 000 001 002\n"), done.stderr
    assert done.returncode == 0


def test_assembly_is_shown(said: Callable, here: Path) -> None:
    copy("grid.mlu", here)
    status, out, _ = said("bcl", "asm", "grid.mlu")
    assert status == 0
    assert ".kernel number(ptr out)" in out
    assert ".variable" not in out


def test_variables_are_kept_for_a_debugger(said: Callable, here: Path) -> None:
    copy("grid.mlu", here)
    status, out, _ = said("bcl", "asm", "-g", "-O0", "grid.mlu")
    assert status == 0
    assert re.search(r"\.variable out \d+ grid\.mlu:\d+ argument=1: \d+\.\.\d+ stack-\d+\n", out)
    status, _, _ = said("bcl", "compile", "-g", "grid.mlu", "-o", "grid.dlp")
    assert status == 0
    assert Program.load(here / "grid.dlp").debug is not None
    assert said("bcl", "build", "-g", "grid.mlu", "-o", "grid")[0] == 0
    assert b'"debug":' in zipfile.ZipFile(here / "grid").read("program.so")


def test_mistakes_of_the_host(said: Callable, here: Path, golden: Callable) -> None:
    copy("mistakes.mlu", here)
    cases = [str(number) for number in range(1, 13)]
    status, out, err = said("bcl", "run", "-q", "mistakes.mlu", *cases)
    assert status == 0
    golden("bcl/mistakes.txt", f"{err}\n{out}")


def test_a_kernel_that_stops_leaves_the_rest_alive(said: Callable, here: Path) -> None:
    copy("mistakes.mlu", here)
    status, out, err = said("bcl", "run", "mistakes.mlu", "13")
    assert status == 1
    assert out == "cnrtErrorKernelFault: a kernel stopped\ncnrtSuccess: no error\n0 0 1 0\n"
    assert "write past the end of gdram\n  where:    kernel 'put', mistakes.mlu:7" in err


def test_checks_find_what_no_fault_shows(said: Callable, here: Path) -> None:
    copy("mistakes.mlu", here)
    status, _, err = said("bcl", "run", "mistakes.mlu", "14", "--check", "memcheck")
    assert status == 1
    assert "memcheck: 1 finding in 1 launch" in err
    assert "mistakes.mlu:7" in err
    assert said("bcl", "run", "-q", "mistakes.mlu", "14", "--check", "none")[0] == 0


@pytest.mark.parametrize(("case", "name"), [("15", "SIGSEGV"), ("16", "SIGABRT")])
def test_a_program_that_crashes(said: Callable, here: Path, case: str, name: str) -> None:
    copy("mistakes.mlu", here)
    status, _, err = said("bcl", "run", "mistakes.mlu", case)
    assert status == 1
    assert err.startswith(f"error: the program was ended by {name}\n  where:    mistakes.mlu\n")


REFUSED = {
    "no file": (("run", "x.py"), "error: 'x.py' is no file of a program\n"),
    "missing": (("run", "x.mlu"), "x.mlu"),
    "no main": (("run", "k.mlu"), "error: the program has no main\n  expected: int main()\n"),
    "undefined": (("run", "u.mlu"), "  found:    undefined symbol: nowhere\n"),
    "arguments": (("build", "k.mlu", "7", "-o", "k"), "error: '7' is no file of a program\n"),
    "syntax": (("run", "s.mlu"), "error: use of undeclared identifier 'nothing'\n"
               "  where:    s.mlu:1:21\n"),
    "nothing to write": (("run", "m.mlu", "--trace", "t.trace"),
                         "error: there is nothing to write for --trace\n"
                         "  found:    no launches: the program launched no kernel\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(said: Callable, here: Path, name: str) -> None:
    (here / "k.mlu").write_text("__mlu_entry__ void k(int *p) { p[0] = 1; }\n")
    (here / "u.mlu").write_text('extern "C" void nowhere(); int main() { nowhere(); }\n')
    (here / "s.mlu").write_text("int main() { return nothing; }\n")
    (here / "m.mlu").write_text("int main() { return 0; }\n")
    words, message = REFUSED[name]
    status, _, err = said("bcl", *words)
    assert status == 1
    assert message in err
