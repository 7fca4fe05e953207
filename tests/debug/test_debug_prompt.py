"""The command line: a session as a whole, commands one by one, what is said of mistakes."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.debug.debug_kernels import SCALED, launch
from zhisuan.debug.prompt import Prompt
from zhisuan.debug.stop import Left

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "debugging"
COMMAND = [sys.executable, "-m", "zhisuan.cli", "debug"]


def test_the_session_of_the_readme(golden: Callable[[str, str], None]) -> None:
    done = subprocess.run(
        [*COMMAND, "scaled.mlu", "--machine", "mlu270", "-x", "session.txt", "--batch"],
        cwd=EXAMPLE, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    golden("debug/session.txt", done.stdout)


def answers(*lines: str, optimize: int = 0) -> list[str]:
    """What the prompt says to each line, in a launch of SCALED on one core."""
    import numpy as np

    made, _, _ = launch(SCALED, np.zeros(256, np.float32), np.arange(256, dtype=np.float32), 256,
                        optimize=optimize, debug=True)  # fmt: skip
    text: list[str] = []
    prompt = Prompt(lines, batch=True, write=text.append)
    with pytest.raises(Left):
        prompt.debug(made)
    said = re.split(r"\(debug\) .*\n", "".join(text))
    assert len(said) == len(lines) + 1
    return [part.rstrip("\n") for part in said[1:]]


def last(*lines: str, optimize: int = 0) -> str:
    return answers(*lines, optimize=optimize)[-1]


STORE = 20
"""The line of the transfer back."""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"), ("-7 / 2", "-3"), ("-7 % 3", "-1"), ("1 << 3 | 1", "9"),
        ("~0", "-1"), ("!n", "false"), ("n > 3 && each == 256", "true"), ("n ? 1 : 2", "1"),
        ("0x10", "16"), ("1.5 * 2", "3"), ("(int)2.75", "2"), ("sizeof(a)", "256"),
        ("sizeof(float)", "4"), ("a[3]", "3"), ("*a", "0"), ("*(a + 2)", "2"),
        ("a[2:5]", "{2, 3, 4}"),
        ("&a[1]", "(float*) 0x1000004 <nram+4>"), ("&a[3] - &a[1]", "2"),
        ("*out@2", "{0, 0}"), ("a[0:2] as unsigned", "{0, 1065353216}"), ("taskDim", "1"),
        ("in[200]", "200"), ("(float)n / 3", "85.333336"), ("'A'", "65"),
        ("$core + $task", "0"), ("b[0:8] as float[2][4]", "\n{{1, 2, 4, 6},\n {8, 10, 12, 14}}"),
    ],
)  # fmt: skip
def test_expressions(expression: str, value: str) -> None:
    said = last(f"until {STORE}", f"print {expression}")
    assert said == f"{expression} ={'' if value.startswith(chr(10)) else ' '}{value}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fly", "there is no command 'fly'; try help"),
        ("pint n", "there is no command 'pint'; did you mean 'print'?"),
        ("re", "'re' could be reverse-step, reverse-next, reverse-stepi, reverse-continue, "
               "reverse-finish"),
        ("print", "print what?; try print n, or print a[0:16]"),
        ("print nn", "there is no 'nn' here"),
        ("print 1 +", "'1 +' is not understood: a value expected at 'the end'"),
        ("print a[", "'a[' is not understood: a value expected at 'the end'"),
        ("print n.x", "a int has no member 'x'"),
        ("print 1 / 0", "division by zero"),
        ("print $99", "there is no register '$99'; expected $0 to $63, $sp, $lr, $pc, $core"),
        ("break nowhere", "there is no function 'nowhere'; expected work<float>, scaled<float, 3>"),
        ("break other.bcl:3", "no code comes from a file 'other.bcl'; expected kernel.bcl"),
        ("break 999", "no code comes from line 999 or any below it"),
        ("break *99999", "'*99999' is no instruction; expected * and a number from 0 to"),
        ("delete 7", "there is no breakpoint '7'; expected none was made"),
        ("core 9", "there is no core 9 on the chip now; try info cores"),
        ("frame 3", "there is no frame '3'; expected 0 to 0"),
        ("down", "this is the innermost call"),
        ("finish", "the function has no known caller; try continue"),
        ("watch 3", "the value is in no memory, so it has no address"),
        ("x/4q a", "'/4q' is no format; expected such as /16fw, /8xb, /4i"),
        ("x/4f 0", "null pointer"),
        ("set var n", "'n' changes nothing; expected name = value"),
        ("info about", "info about what?"),
        ("moment 99999999", "no such moment"),
        ("step x", "'x' is no number of times"),
    ],
)  # fmt: skip
def test_mistakes_are_said_in_one_line(line: str, said: str) -> None:
    found = last(line)
    assert found.startswith(said) and "\n" not in found


def test_stops_count_only_where_they_should() -> None:
    said = answers("break 19 if i == 128", "ignore 1 0", "continue", "print i", "condition 1",
                   "continue", "print i", "disable 1", "continue", "info breakpoints")  # fmt: skip
    assert said[3] == "i = 128" and said[6] == "i = 192"
    assert said[8].endswith("the launch is over")
    assert "disabled" in said[9]


def test_memory_code_and_registers_are_shown() -> None:
    said = answers(f"until {STORE}", "x/4fw a", "x/2i 0", "disassemble work", "info registers $63",
                   "info arrays", "x/2xg a + 2")  # fmt: skip
    assert said[1] == "0x1000000 <nram+0>:  0  1  2  3"
    assert "SSUB" in said[2]
    assert "VLOAD" in said[3] and "=>" in said[3]
    assert said[4].startswith("$63")
    assert said[6].endswith("0x4040000040000000  0x40a0000040800000")


def test_a_changed_variable_changes_what_comes_after() -> None:
    said = answers(f"until {STORE}", "set var b[1] = 77", "next", "print out[1]", "reverse-next",
                   "set b[1] = 78", "next", "print out[1]")  # fmt: skip
    assert said[3] == "out[1] = 77"
    assert said[5].endswith("what came after this moment is forgotten")
    assert said[7] == "out[1] = 78"


def test_control_c_stops_the_launch_and_not_the_debugger(tmp_path: Path) -> None:
    (tmp_path / "spin.bcl").write_text(
        "#include <bang.h>\n__mlu_entry__ void spin(int *out) {\n"
        "  volatile int n = 0;\n  while (n >= 0) n = (n + 1) & 1023;\n  *out = n;\n}\n"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "spin.bcl", "--arg", "out=i32[1]"], cwd=tmp_path, stdin=theirs, stdout=theirs,
        stderr=theirs, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
    )  # fmt: skip
    seen = ""

    def wait_for(text: str) -> None:
        nonlocal seen
        while text not in seen:
            seen += os.read(ours, 1 << 16).decode()
        seen = seen.partition(text)[2]

    try:
        wait_for("(debug) ")
        os.write(ours, b"continue\n")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        wait_for("Interrupted, core 0")
        wait_for("(debug) ")
        os.write(ours, b"print n < 1024\n")
        wait_for("= true")
        os.write(ours, b"quit\n")
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
