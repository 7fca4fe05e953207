"""Machine files: what is accepted, and the whole text of what is said otherwise."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from textwrap import dedent

import pytest

from zhisuan.arch.load import DEFAULT, PRESETS, check, describe, load, parse, preset_names, vary
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError

PRESET = (PRESETS / f"{DEFAULT}.toml").read_text(encoding="utf-8")


def complaint(old: str, new: str) -> str:
    """The message about the default preset with `old` replaced by `new`."""
    assert PRESET.count(old) == 1
    with pytest.raises(ZhisuanError) as caught:
        parse(PRESET.replace(old, new), "my.toml")
    return str(caught.value)


def test_every_preset_is_complete_and_names_its_sources() -> None:
    assert DEFAULT in preset_names()
    for name in preset_names():
        machine = load(name)
        assert machine.name == name
        assert check(machine) == []


def test_the_default_is_the_class_it_says() -> None:
    machine = load(DEFAULT)
    assert machine.matrix.elements * machine.lanes("f16") == 1536
    assert machine.nram_usable == 640 * 1024
    assert machine.dram_bytes_per_cycle == pytest.approx(102.4)


@pytest.mark.parametrize(
    ("name", "cores", "key", "per_cycle"),
    [
        ("mlu220", 4, "i8", 2048), ("mlu270", 16, "i8", 4096), ("mlu290", 64, "i8", 4096),
        ("mlu370", 32, "f16", 1536), ("mobile", 1, "f16", 1024), ("course-core", 1, "f32", 256),
        ("course-cluster", 4, "f32", 256), ("diannao", 1, "i16", 256),
        ("dadiannao", 16, "i16", 256), ("cambricon", 1, "i16", 1024), ("tpu-v1", 1, "i8", 65536),
        ("nvdla", 1, "i8", 2048),
    ],
)  # fmt: skip
def test_presets_multiply_what_is_published(
    name: str, cores: int, key: str, per_cycle: int
) -> None:
    machine = load(name)
    assert machine.cores == cores
    assert machine.matrix.elements * machine.lanes(key) == per_cycle


def test_a_file_by_path(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.toml"
    path.write_text(PRESET.replace('name = "dlp-s"\n', ""), encoding="utf-8")
    assert load(str(path)).name == "mine"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ZhisuanError, match="the machine file cannot be read"):
        load(str(path))


def test_a_number_without_a_source_is_listed() -> None:
    line = 'latency = { value = 16, source = "our choice: NRAM read and write pipelines" }'
    assert line in PRESET
    machine = parse(PRESET.replace(line, "latency = 17"), "my.toml")
    assert machine.move.latency == 17
    assert check(machine) == ["move.latency"]


def test_description_has_every_number_with_unit_and_source() -> None:
    rows = {key: (value, unit, source) for key, value, unit, source in describe(load(DEFAULT))}
    assert len(rows) == sum(" = { value = " in line for line in PRESET.split("\n"))
    assert rows["clock.hz"] == (1_000_000_000, "Hz", "MLU270-class clock; course text")
    assert {key: rows[key][1] for key in (
        "dram.bytes_per_second", "dram.access_bytes", "nram.stack", "vector.bytes_per_cycle",
        "matrix.lanes_f16", "dram.read_latency", "queues.window", "queues.io", "scalar.load",
        "move.segment_cycles", "launch.overhead", "vector.divide_passes",
    )} == {
        "dram.bytes_per_second": "bytes/s", "dram.access_bytes": "bytes", "nram.stack": "bytes",
        "vector.bytes_per_cycle": "bytes/cycle", "matrix.lanes_f16": "MAC/cycle/element",
        "dram.read_latency": "cycles", "queues.window": "instructions", "queues.io": "entries",
        "scalar.load": "cycles", "move.segment_cycles": "cycles/segment",
        "launch.overhead": "cycles", "vector.divide_passes": "passes",
    }  # fmt: skip


def test_a_variant() -> None:
    machine = load(DEFAULT)
    half = vary(machine, {"dram.bytes_per_second": 51_200_000_000, "clock.hz": 2_000_000_000})
    assert half.dram_bytes_per_cycle == pytest.approx(25.6)
    assert half.sources["dram.bytes_per_second"] == "a variant"
    assert machine.dram.bytes_per_second == 102_400_000_000
    with pytest.raises(ZhisuanError, match=r"did you mean 'dram\.read_latency'"):
        vary(machine, {"dram.read_latencies": 1})
    with pytest.raises(ZhisuanError, match="the stack must leave room in NRAM"):
        vary(machine, {"nram.size": 1024})


def test_sections_that_may_be_missing() -> None:
    machine = parse(PRESET[: PRESET.index("[chip]")], "my.toml")
    assert (machine.cores, machine.sram.size, machine.channels, machine.technology) == (
        1,
        0,
        None,
        None,
    )
    assert check(machine) == []
    assert ("sram.size", 0, "bytes", "no section [sram]: no shared memory") in describe(machine)


def test_a_variant_by_text() -> None:
    machine = load(DEFAULT)
    assert vary(machine, {"noc.topology": "torus"}).noc.topology == "torus"
    with pytest.raises(ZhisuanError, match=r"noc\.topology names something unknown"):
        vary(machine, {"noc.topology": "star"})
    with pytest.raises(ZhisuanError, match=r"noc\.topology has the wrong form"):
        vary(machine, {"noc.topology": 4})


def test_what_a_matrix_instruction_takes() -> None:
    machine = load(DEFAULT)
    assert machine.matrix_cycles("i8", 10, 9, 3, 65) == 10 * 1 * 2  # 27 taps of 64 lanes
    apart = vary(machine, {"matrix.flatten": "channels"})
    assert apart.matrix_cycles("i8", 10, 9, 3, 65) == 10 * 9 * 2
    assert apart.matrix_cycles("i8", 10, 9, 65, 1) == 10 * 18


def test_a_type_that_the_matrix_unit_lacks() -> None:
    machine = vary(load(DEFAULT), {"matrix.lanes_i4": 0, "matrix.lanes_i8": 0})
    with pytest.raises(ZhisuanError) as caught:
        machine.matrix_cycles("i8", 1, 1, 1, 1)
    assert str(caught.value) == dedent("""\
        error: the matrix unit of dlp-s does not multiply i8
          expected: i16, f16, f32
          found:    i8
          try:      set matrix.lanes_i8 in the machine file""")
    with pytest.raises(ZhisuanError, match="multiplies nothing"):
        vary(machine, {f"matrix.lanes_{kind}": 0 for kind in ("i16", "f16", "f32")})


WHOLE_MESSAGES = [
    (
        "[vector]", "[vectors]",
        """\
        error: a machine has no section [vectors]
          where:    my.toml:23:2
            [vectors]
             ^
          expected: clock, dram, nram, wram, vector, matrix, move, queues, scalar, launch, \
chip, sram, noc, sparsity, channels, llc, tlb, icache, technology; and name, title
          try:      did you mean 'vector'?""",
    ),
    (
        "divide_passes = {", "divide_passes_ = {",
        """\
        error: section [vector] has no key 'divide_passes_'
          where:    my.toml:26:1
            divide_passes_ = { value = 8, source = "course text: FP16 divide 8 cycles on the \
scalar unit; same iteration per lane" }
            ^
          expected: bytes_per_cycle, latency, divide_passes, transcendental_passes
          try:      did you mean 'divide_passes'?""",
    ),
    (
        '[wram]\nsize = { value = 1_048_576, source = "MLU270- and 370-class: 1 MB" }', "[wram]",
        """\
        error: section [wram] is incomplete
          where:    my.toml:20:2
            [wram]
             ^
          expected: size
          found:    missing size
          try:      copy the keys from a preset""",
    ),
    (
        '[wram]\nsize = { value = 1_048_576, source = "MLU270- and 370-class: 1 MB" }', "",
        """\
        error: section [wram] is missing
          where:    my.toml
          expected: size
          found:    missing size
          try:      copy the keys from a preset""",
    ),
    (
        "hz = { value = 1_000_000_000", "hz = { value = 1.5",
        """\
        error: clock.hz must be a whole number
          where:    my.toml:6:1
            hz = { value = 1.5, source = "MLU270-class clock; course text" }
            ^
          expected: { value = 123, source = "where the number is from" }
          found:    1.5""",
    ),
    (
        "hz = { value = 1_000_000_000, source", "hz = { value = 1_000_000_000, sorce",
        """\
        error: clock.hz has no 'sorce'
          where:    my.toml:6:1
            hz = { value = 1_000_000_000, sorce = "MLU270-class clock; course text" }
            ^
          expected: { value = 123, source = "where the number is from" }
          try:      did you mean 'source'?""",
    ),
    (
        'bytes_per_second = { value = 102_400_000_000, source = "MLU270-class DRAM, 102.4 GB/s; '
        'course text" }', "bytes_per_second = 0",
        """\
        error: dram.bytes_per_second is too small
          where:    my.toml:9:1
            bytes_per_second = 0
            ^
          expected: a whole number, one or more
          found:    0""",
    ),
    (
        "write_latency = { value = 100", "write_latency = { value = 9223372036854775808",
        """\
        error: dram.write_latency is too large
          where:    my.toml:13:1
            write_latency = { value = 9223372036854775808, source = "our choice: posted writes \
return earlier than reads" }
            ^
          expected: at most 1125899906842624 (2^50)
          found:    9223372036854775808""",
    ),
    (
        "read_latency = { value = 200", "read_latency = { value = -1",
        """\
        error: dram.read_latency is too small
          where:    my.toml:12:1
            read_latency = { value = -1, source = "our choice: about 200 ns for LPDDR-class DRAM \
and its path" }
            ^
          expected: a whole number, zero or more
          found:    -1""",
    ),
    (
        "access_bytes = { value = 64", "access_bytes = { value = 48",
        """\
        error: the DRAM access unit must be a power of two
          where:    my.toml:11:1
            access_bytes = { value = 48, source = "public programming guide: 64 B reads, 64 B \
aligned" }
            ^
          expected: such as 32
          found:    dram.access_bytes = 48""",
    ),
    (
        "stack = { value = 131_072", "stack = { value = 786_432",
        """\
        error: the stack must leave room in NRAM
          where:    my.toml:18:1
            stack = { value = 786_432, source = "public programming guide: 128 KB of NRAM \
reserved for the stack" }
            ^
          expected: less than nram.size, 786432
          found:    nram.stack = 786432""",
    ),
    (
        "size = { value = 1_048_576", "size = { value = 1_000_000",
        """\
        error: WRAM must be whole lines in the bank of every processing element
          where:    my.toml:21:1
            size = { value = 1_000_000, source = "MLU270- and 370-class: 1 MB" }
            ^
          expected: a multiple of 4096 (matrix.elements 64 × 64 bytes)
          found:    wram.size = 1000000""",
    ),
    (
        'flatten = { value = "taps"', 'flatten = { value = "tap"',
        """\
        error: matrix.flatten names something unknown
          where:    my.toml:38:1
            flatten = { value = "tap", source = "derived: K = (kh, kw, ci) padded once at the \
end, 512-bit dot products" }
            ^
          expected: taps, channels
          found:    'tap'""",
    ),
    (
        'topology = { value = "ring"', "topology = { value = 3",
        """\
        error: noc.topology must be a text
          where:    my.toml:77:1
            topology = { value = 3, source = "one cluster: never used" }
            ^
          expected: { value = "text", source = "where the number is from" }
          found:    3""",
    ),
    (
        "[wram]", "[wram",
        """\
        error: the machine file is not valid TOML
          where:    my.toml:20:6
            [wram
                 ^
          found:    Expected ']' at the end of a table declaration
          try:      compare with a preset""",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WHOLE_MESSAGES, ids=lambda text: text[:20])
def test_messages(old: str, new: str, message: str) -> None:
    assert complaint(old, new) == dedent(message)


def test_a_section_that_is_no_table() -> None:
    with pytest.raises(ZhisuanError) as caught:
        parse('name = "x"\n\nqueues = 3\n', "my.toml")
    assert str(caught.value) == dedent("""\
        error: 'queues' has the wrong form
          where:    my.toml:3:1
            queues = 3
            ^
          expected: [queues] and its keys
          found:    3""")


def test_an_unknown_preset() -> None:
    with pytest.raises(ZhisuanError) as caught:
        load("dlp_s")
    assert str(caught.value) == dedent("""\
        error: no machine called 'dlp_s'
          expected: a preset (cambricon, course-cluster, course-core, dadiannao, diannao, dlp-s, \
mlu220, mlu270, mlu290, mlu370, mobile, nvdla, tpu-v1) or a .toml file
          found:    dlp_s
          try:      did you mean 'dlp-s'?""")


def test_the_documentation_names_every_preset_and_section() -> None:
    text = (Path(__file__).parents[2] / "docs" / "machines.md").read_text(encoding="utf-8")
    sections = {field.name for field in fields(Machine)} - {"name", "title", "clock_hz", "sources"}
    for name in (*preset_names(), *sections, "clock"):
        assert f"`{name}`" in text, name
