"""Sweep files: what they mean, and the whole message for each mistake in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.explore.point import points
from zhisuan.explore.sweep_file import load, parse

HEAD = '[vary]\nmatrix.lanes_f16 = [8, 24]\n\n[program.a]\nnetwork = "style"\nsize = 64\n'


def message(text: str) -> str:
    with pytest.raises(ZhisuanError) as caught:
        parse(text, Path("try.toml"))
    return str(caught.value)


def varied(line: str) -> str:
    return HEAD.replace("matrix.lanes_f16 = [8, 24]", line)


def test_the_values_of_a_sweep(sweep_file: Path) -> None:
    sweep = load(sweep_file)
    assert sweep.vary == {
        "matrix.lanes_f16": (8, 24),
        "nram.size": (98304, 196608, 393216),
        "nram.stack": (65536,),
        "dram.read_latency": (100, 200, 300),
    }
    assert sweep.combinations == 18
    found = list(points(sweep))
    assert [point.number for point in found] == list(range(18))
    assert [tuple(point.changes.values()) for point in found[:4]] == [
        (8, 98304, 65536, 100),
        (8, 98304, 65536, 200),
        (8, 98304, 65536, 300),
        (8, 196608, 65536, 100),
    ]
    assert len({tuple(point.changes.items()) for point in found}) == 18


@pytest.mark.parametrize(
    "line",
    [
        "matrix.lanes_f16 = [8, 24]",
        '"matrix.lanes_f16" = [8, 24]',
        "matrix = { lanes_f16 = [8, 24] }",
        "[vary.matrix]\nlanes_f16 = [8, 24]",
        "matrix.lanes_f16 = { from = 8, to = 30, step = 16 }",
        "matrix.lanes_f16 = { from = 8, to = 24, factor = 3 }",
    ],
)
def test_ways_to_say_the_same(line: str) -> None:
    assert parse(varied(line), Path("t.toml")).vary == {"matrix.lanes_f16": (8, 24)}


def test_a_sample_is_a_part_and_always_the_same(sweep_file: Path) -> None:
    text = sweep_file.read_text()
    sample = list(points(parse("sample = 7\nseed = 3\n" + text, sweep_file)))
    again = list(points(parse("sample = 7\nseed = 3\n" + text, sweep_file)))
    other = list(points(parse("sample = 7\nseed = 4\n" + text, sweep_file)))
    everything = [point.changes for point in points(load(sweep_file))]
    assert len(sample) == 7 and sample == again
    assert [p.changes for p in sample] != [p.changes for p in other]
    assert all(point.changes in everything for point in sample)
    assert len(list(points(parse("sample = 99\n" + text, sweep_file)))) == 18


def test_an_unknown_key() -> None:
    assert message(varied("matrix.lane_f16 = [8]")) == (
        "error: no machine has a number 'matrix.lane_f16'\n"
        "  where:    try.toml:2:1\n"
        "    matrix.lane_f16 = [8]\n"
        "    ^\n"
        "  expected: section.key of a machine file; `zhisuan machine show` lists them\n"
        "  try:      did you mean 'matrix.lanes_f16'?"
    )


def test_a_value_that_no_machine_can_have() -> None:
    assert message(varied("dram.bytes_per_second = [1000, 0]")) == (
        "error: dram.bytes_per_second is too small\n"
        "  where:    try.toml:2:1\n"
        "    dram.bytes_per_second = [1000, 0]\n"
        "    ^\n"
        "  expected: a whole number, one or more\n"
        "  found:    0"
    )


def test_a_network_that_is_unknown() -> None:
    sweep = parse(HEAD.replace('"style"', '"stile"'), Path("try.toml"))
    with pytest.raises(ZhisuanError) as caught:
        sweep.programs["a"].load()
    assert str(caught.value) == (
        "error: no network is called 'stile'\n"
        "  where:    try.toml:5:1\n"
        '    network = "stile"\n'
        "    ^\n"
        "  expected: style, vgg16\n"
        "  try:      did you mean 'style'?"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("matrix.lanes_f16 = 8", "given no values"),
        ("matrix.lanes_f16 = []", "given no values"),
        ("matrix.lanes_f16 = [8, 2.5]", "something else than whole numbers"),
        ("matrix.lanes_f16 = [true]", "something else than whole numbers"),
        ('matrix.lanes_f16 = ["8"]', "something else than whole numbers"),
        ("matrix.flatten = [1]", "something else than texts"),
        ('matrix.flatten = ["rows"]', "names something unknown"),
        ("matrix.lanes_f16 = [8, 8]", "given a value twice"),
        ("matrix.lanes_f16 = [-1]", "is too small"),
        ("matrix.lanes_f16 = { from = 8, to = 4, step = 1 }", "a range that means nothing"),
        ("matrix.lanes_f16 = { from = 8, to = 9, step = 0 }", "a range that means nothing"),
        ("matrix.lanes_f16 = { from = 8, to = 64, factor = 1 }", "a range that means nothing"),
        ("matrix.lanes_f16 = { from = 0, to = 64, factor = 2 }", "a range that means nothing"),
        ("matrix.lanes_f16 = { from = 8, to = 64 }", "a range that means nothing"),
        ("matrix.lanes_f16 = { from = 8, to = 64, steps = 2 }", "a range that means nothing"),
    ],
)
def test_values_that_mean_nothing(line: str, said: str) -> None:
    found = message(varied(line))
    assert said in found and "try.toml:2:1" in found and "expected:" in found, found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[vary", "not valid TOML"),
        ("", "varies nothing"),
        ("[vary]\nmatrix.lanes_f16 = [8]\n", "has no program"),
        ("samples = 3\n" + HEAD, "did you mean 'sample'?"),
        ("sample = -1\n" + HEAD, "sample is no count"),
        ('machine = "dlp-z"\n' + HEAD, "try.toml:1:1"),
        (HEAD.replace("network", "netwerk"), "did you mean 'network'?"),
        (HEAD.replace("size = 64", "size = 0"), "'a' is not complete"),
        (HEAD.replace("size = 64", ""), "'a' is not complete"),
        (HEAD + 'trace = "x.trace"\n', "'a' is not one thing"),
        (HEAD.replace('network = "style"\nsize = 64', 'trace = "no.trace"'), "no such file"),
        (HEAD.replace('network = "style"\nsize = 64', 'model = "try.toml"'), "no model"),
        (varied("scalar.alu = { from = 1, to = 9999999, step = 1 }"), "means nothing"),
        (varied("scalar.alu = { from = 1, to = 2000, step = 1 }\n"
                "scalar.load = { from = 1, to = 2000, step = 1 }"), "too many points"),
    ],
)  # fmt: skip
def test_files_that_are_wrong(text: str, said: str) -> None:
    found = message(text)
    assert said in found and "where:" in found, found


def test_sizes_that_a_model_does_not_leave_open(sweep_file: Path) -> None:
    sweep = parse(sweep_file.read_text() + "dims = { h = 3 }\n", sweep_file)
    with pytest.raises(ZhisuanError) as caught:
        sweep.programs["small"].load()
    assert "expected: no sizes" in str(caught.value)
    assert "found:    h" in str(caught.value)
