"""`asm`, `disasm`, `run`, `time`, `machine`, `compile`: files in, files out, whole messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from zhisuan.arch.load import PRESETS, preset_names
from zhisuan.isa.program import Program

Command = Callable[..., Any]

ADD_ONE = """\
.kernel add_one(ptr x, i64 n)
    SLOAD $1, #0x8000000   // arguments
    SLOAD.i64 $2, $1, #0
    SLOAD.i64 $3, $1, #8
    SLOAD $4, #0x1000000   // NRAM
    SLOAD $5, #f32:1
    SMUL $6, $3, #4
    VLOAD $4, $6, $2
    SYNC #2
    VAS.f32 $4, $3, $4, $5
    SYNC #1
    VSTORE $2, $6, $4
    HALT
"""


@pytest.fixture
def source(here: Path) -> Path:
    (here / "inc.dlps").write_text(ADD_ONE)
    np.save(here / "x.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    return here


def test_asm_and_disasm(zhisuan: Command, source: Path) -> None:
    done = zhisuan("asm", "inc.dlps")
    assert (done.code, done.err) == (0, "")
    assert done.out == "12 instructions; add_one(ptr x, i64 n)\n\nprogram  inc.dlp\n"
    shown = zhisuan("disasm", "inc.dlp")
    assert (shown.code, shown.err) == (0, "")
    assert "VAS.f32" in shown.out
    assert "// SYNC #2" in shown.out  # the source line beside it
    (source / "again.dlps").write_text(shown.out)
    assert zhisuan("asm", "again.dlps").code == 0
    first, second = (Program.load(source / name) for name in ("inc.dlp", "again.dlp"))
    assert first.to_bytes() == second.to_bytes()


def test_disasm_into_a_file(zhisuan: Command, source: Path) -> None:
    zhisuan("asm", "inc.dlps")
    done = zhisuan("disasm", "inc.dlp", "-o", "out.dlps", "--words")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "// 11:" in (source / "out.dlps").read_text()


def test_run_then_time_a_kernel(zhisuan: Command, source: Path) -> None:
    done = zhisuan(
        "run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6", "-o", "y.safetensors",
        "--trace", "t.trace", "--report", "r.html",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert "x  float32 2×3, 1 to 6, mean 3.5\n" in done.out
    tensors = load_file(source / "y.safetensors")
    np.testing.assert_array_equal(tensors["x"], np.arange(1, 7, dtype=np.float32).reshape(2, 3))
    assert "inc.dlps:10" in (source / "r.html").read_text()
    timed = zhisuan("time", "t.trace", "--json")
    again = zhisuan("run", "t.trace", "--json")
    cycles = json.loads(timed.out)["total"]["cycles"]
    assert cycles == json.loads(again.out)["total"]["cycles"] > 500


def test_time_on_another_machine(zhisuan: Command, source: Path) -> None:
    zhisuan("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6", "--trace", "t.trace")
    text = (PRESETS / "dlp-s.toml").read_text()
    slow = text.replace("read_latency = { value = 200", "read_latency = { value = 1200")
    assert slow != text
    (source / "slow.toml").write_text(slow)
    cycles = [
        json.loads(zhisuan("time", "t.trace", "--machine", name, "--json").out)["total"]["cycles"]
        for name in ("dlp-s", "slow.toml")
    ]
    assert cycles[1] - cycles[0] == 2 * 1000  # the program's load, and its code


def test_time_says_what_is_missing_without_a_plan(zhisuan: Command, source: Path) -> None:
    zhisuan("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6", "--trace", "t.trace")
    done = zhisuan("time", "t.trace")
    assert done.code == 0
    assert done.out.endswith(
        "\nWithout its plan a trace does not tell the graph's MACs, so utilisation is not shown.\n"
    )


def test_time_with_energy(zhisuan: Command, source: Path) -> None:
    zhisuan("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6", "--trace", "t.trace")
    done = zhisuan("time", "t.trace", "--energy")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines() if line]
    assert [line[0] for line in lines if line[-1] == "mm²" or "chip" in line] == ["chip", "all"]
    assert ["part", "energy", "share"] in lines
    refused = zhisuan("time", "t.trace", "--energy", "--machine", "course-core")
    assert refused.code == 1
    assert refused.err.startswith("error: the energy of course-core is unknown\n")


def test_zeros_as_an_argument(zhisuan: Command, source: Path) -> None:
    done = zhisuan("run", "inc.dlps", "--arg", "x=f32[5]", "--arg", "n=0x5")
    assert (done.code, done.err) == (0, "")
    assert "x  float32 5, 1 to 1, mean 1\n" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "error: kernel 'add_one' needs other arguments\n"
            "  where:    --arg\n"
            "  expected: ptr x, i64 n\n"
            "  found:    none\n"
            "  try:      --arg x=… --arg n=…\n",
        ),
        (
            ["--arg", "x=x.npy", "--arg", "n=6", "--arg", "xs=3"],
            "error: kernel 'add_one' needs other arguments\n"
            "  where:    --arg\n"
            "  expected: ptr x, i64 n\n"
            "  found:    x, n, xs\n"
            "  try:      did you mean 'x'?\n",
        ),
        (
            ["--arg", "x=x.npy", "--arg", "n=1.5"],
            "error: argument 'n' is not a number of its kind\n"
            "  where:    --arg\n"
            "  expected: i64\n"
            "  found:    1.5\n"
            "  try:      --arg n=1\n",
        ),
        (
            ["--arg", "x=y.npy", "--arg", "n=1"],
            "error: argument 'x' is a pointer\n"
            "  where:    --arg\n"
            "  expected: an existing .npy file, or a type and a count as in f32[1024]\n"
            "  found:    y.npy\n"
            "  try:      --arg x=f32[1024]\n",
        ),
        (
            ["--arg", "x"],
            "error: --arg 'x' is not understood\n"
            "  where:    --arg\n"
            "  expected: NAME=VALUE\n"
            "  found:    x\n"
            "  try:      --arg n=1024\n",
        ),
        (
            ["--kernel", "add_on"],
            "error: program 'inc' has no kernel 'add_on'\n"
            "  expected: one of add_one\n"
            "  try:      did you mean 'add_one'?\n",
        ),
    ],
)
def test_wrong_arguments(
    zhisuan: Command, source: Path, arguments: list[str], message: str
) -> None:
    before = sorted(source.iterdir())
    done = zhisuan("run", "inc.dlps", *arguments, "-o", "out.safetensors")
    assert (done.code, done.out, done.err) == (1, "", message)
    assert sorted(source.iterdir()) == before


def test_a_kernel_of_many_parameters(zhisuan: Command, here: Path) -> None:
    many = ", ".join(f"i32 p{i}" for i in range(30))
    (here / "many.dlps").write_text(f".kernel many({many})\nHALT\n")
    done = zhisuan("run", "many.dlps")
    assert (done.code, done.err) == (
        1,
        "error: kernel 'many' needs other arguments\n"
        "  where:    --arg\n"
        "  expected: i32 p0, i32 p1, i32 p2, i32 p3, i32 p4, i32 p5, … (30 in all)\n"
        "  found:    none\n"
        "  try:      run the .plan that launches it, or give each as --arg NAME=VALUE\n",
    )


def test_a_still_timeline(zhisuan: Command, source: Path) -> None:
    zhisuan("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6", "--trace", "t.trace")
    done = zhisuan("time", "t.trace", "--timeline", "t.svg")
    assert done.code == 0
    assert done.out.endswith("\ntimeline  t.svg\n")
    assert (source / "t.svg").read_text().startswith("<svg ")


def test_a_damaged_array(zhisuan: Command, source: Path) -> None:
    (source / "x.npy").write_bytes(b"\x93NUMPY\x01\x00")
    done = zhisuan("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "error: not a NumPy array file, or a damaged one\n"
        "  where:    x.npy\n"
        "  expected: a complete .npy file\n"
    )


def test_a_file_of_no_known_kind(zhisuan: Command, source: Path) -> None:
    (source / "a.dpl").write_text("")
    done = zhisuan("run", "a.dpl")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: cannot tell what to do with 'a.dpl'\n")
    assert "did you mean" in done.err


def test_missing_and_binary_sources(zhisuan: Command, here: Path) -> None:
    done = zhisuan("asm", "a.dlps")
    assert (done.code, done.err) == (
        1,
        "error: no such file\n"
        "  where:    a.dlps\n"
        "  expected: an existing file\n"
        "  found:    nothing\n",
    )
    (here / "a.dlps").write_bytes(b"SADD \xff")
    done = zhisuan("asm", "a.dlps")
    assert (done.code, done.err) == (
        1,
        "error: 'a.dlps' is not text\n"
        "  where:    a.dlps\n"
        "  expected: a .dlps file in UTF-8\n"
        "  found:    bytes that are not UTF-8 at offset 5\n",
    )


@pytest.mark.parametrize("option", [["--dim", "h"], ["--dim", "h=0"], ["--size", "64"]])
def test_sizes_of_a_model(zhisuan: Command, here: Path, option: list[str]) -> None:
    done = zhisuan("compile", "m.onnx", *option)
    assert (done.code, done.out) == (1, "")
    assert f"'{option[1]}' is not understood" in done.err
    assert list(here.iterdir()) == []


def test_machines(zhisuan: Command) -> None:
    listed = zhisuan("machine", "list")
    assert (listed.code, listed.err) == (0, "")
    default = next(line for line in listed.out.splitlines() if line.endswith("(default)"))
    assert " ".join(default.split()) == "dlp-s DLP-S, one MLU370-class core at 1 GHz (default)"
    shown = zhisuan("machine", "show", "dlp-s").out
    assert "matrix.lanes_f16 " in shown and "24 MAC/cycle/element" in shown
    checked = zhisuan("machine", "check", "dlp-s")
    assert (checked.code, checked.out) == (0, "dlp-s: 83 values, all of them possible\n")


def test_two_machines_side_by_side(zhisuan: Command) -> None:
    done = zhisuan("machine", "diff", "course-core", "course-cluster")
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [
        ["course-core", "course-cluster"],
        ["dram.bytes_per_second", "64,000,000,000", "128,000,000,000", "bytes/s"],
        ["chip.cores_per_cluster", "1", "4", "cores"],
        ["sram.size", "0", "2,097,152", "bytes"],
        ["sram.bytes_per_cycle", "1", "1,000", "bytes/cycle"],
    ]
    assert zhisuan("machine", "diff", "mobile", "mobile").out == "no value differs\n"


def test_a_machine_file_that_leaves_out_a_source(zhisuan: Command, here: Path) -> None:
    text = (PRESETS / "dlp-s.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("read_latency"))
    (here / "m.toml").write_text(text.replace(line, "read_latency = 200"))
    done = zhisuan("machine", "check", "m.toml")
    assert done.code == 0
    assert done.out.endswith("possible\n  no source is named for dram.read_latency\n")


def test_an_unknown_machine(zhisuan: Command) -> None:
    done = zhisuan("machine", "show", "dlps")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: no machine called 'dlps'\n"
        f"  expected: a preset ({', '.join(preset_names())}) or a .toml file\n"
        "  found:    dlps\n"
        "  try:      did you mean 'dlp-s'?\n"
    )


def test_checks_find_a_missing_sync(zhisuan: Command, source: Path) -> None:
    (source / "inc.dlps").write_text(ADD_ONE.replace("    SYNC #2\n", ""))
    run = ("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6", "-o", "out.safetensors")
    assert zhisuan(*run, "--check", "none").code == 0  # the values are those of program order
    (source / "out.safetensors").unlink()
    done = zhisuan(*run, "--check", "memcheck,racecheck")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: racecheck: 1 finding in 1 launch\n\n"
        "racecheck: read of bytes that may not be written yet\n"
        "  where:    kernel 'add_one', inc.dlps:9, pc 7: VAS.f32 $4, $3, $4, $5\n"
        "  found:    read of 24 bytes at 0x01000000 (nram) by the compute queue\n"
        "  other:    inc.dlps:8, pc 6: VLOAD $4, $6, $2\n"
        "            write of 24 bytes at 0x01000000 (nram) by the IO queue\n"
        "  expected: a wait in between: 24 bytes from 0x01000000 (nram) are in both\n"
        "  launch:   add_one\n"
        "  try:      __sync_io() between the two, or a copy without _async\n"
    )
    assert not (source / "out.safetensors").exists()


def test_checks_pass_a_right_program(zhisuan: Command, source: Path) -> None:
    run = ("run", "inc.dlps", "--arg", "x=x.npy", "--arg", "n=6")
    assert zhisuan(*run, "--check", "all").code == 0
    done = zhisuan(*run, "--check", "racechek")
    assert (done.code, done.err) == (
        1,
        "error: there is no check called 'racechek'\n"
        "  where:    --check\n"
        "  expected: memcheck, initcheck, racecheck, synccheck, all, none\n"
        "  found:    racechek\n"
        "  try:      did you mean 'racecheck'?\n",
    )
