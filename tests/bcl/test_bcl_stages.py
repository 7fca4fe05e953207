"""The stages one by one: header, reader, verifiers, SYNC placement, cache, listing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from test_bcl_kernels import SCALE

from zhisuan import bcl
from zhisuan.base import clang
from zhisuan.base.errors import VerifyError, ZhisuanError
from zhisuan.bcl import header, ir
from zhisuan.bcl.check_registers import check
from zhisuan.bcl.code import ALLOCATABLE, Code, CodeBlock, make
from zhisuan.bcl.order import add_syncs
from zhisuan.bcl.read_llvm import read_module
from zhisuan.bcl.verify import verify
from zhisuan.isa.asm import assemble
from zhisuan.isa.table import BY_NAME


def test_every_queued_instruction_and_mode_has_a_builtin() -> None:
    built = header.builtins()
    for row in BY_NAME.values():
        if row.is_queued and row.immediate is None:
            for mode in row.modes:
                name = f"__dlp_{row.name}" + (f"_{mode.replace('.', '_')}" if mode else "")
                assert built[name].row is row and built[name].mode == mode
                assert f" {name}(" in header.text()
                assert built[name].ordered != header.is_transfer(row)
    assert built["__dlp_ordered_VLOAD3"].ordered


def test_listing_is_pinned(golden: Callable[[str, str], None]) -> None:
    golden("bcl/scale.dlps", bcl.compile(SCALE, "scale.bcl").assembly)


def test_listing_assembles_to_the_same_program() -> None:
    compiled = bcl.compile(SCALE, "scale.bcl")
    again = assemble(compiled.assembly, "scale.dlps")
    assert again.words.tolist() == compiled.program.words.tolist()
    assert again.kernels == compiled.program.kernels


def test_second_compilation_starts_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    first = bcl.compile(SCALE, "scale.bcl")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("clang ran again")

    monkeypatch.setattr(clang, "run", refuse)
    second = bcl.compile(SCALE, "scale.bcl")
    assert second.program.to_bytes() == first.program.to_bytes()
    assert (second.llvm, second.assembly) == (first.llvm, first.assembly)
    with pytest.raises(AssertionError):
        bcl.compile(SCALE + "// another source\n", "scale.bcl")


def test_a_changed_include_is_compiled_again(tmp_path: Path) -> None:
    source = '#include "size.h"\n__mlu_entry__ void k(int *p) { *p = SIZE; }\n'
    name = str(tmp_path / "k.bcl")
    found = []
    for size in (3, 4):
        (tmp_path / "size.h").write_text(f"#define SIZE {size}\n", encoding="utf-8")
        found.append(bcl.compile(source, name).assembly)
    assert "#3" in found[0] and "#4" in found[1]


def test_defines_and_include_folders(tmp_path: Path) -> None:
    (tmp_path / "other.h").write_text("inline constexpr int other = 20;\n", encoding="utf-8")
    source = '#include "other.h"\n__mlu_entry__ void k(int *p) { *p = N + other; }\n'
    compiled = bcl.compile(source, "k.bcl", defines={"N": 22}, include_dirs=[tmp_path])
    assert "#42" in compiled.assembly
    with pytest.raises(ZhisuanError, match="other"):
        bcl.compile(source, "k.bcl", defines={"N": 22})


MODULE = """
@table = internal unnamed_addr constant [2 x { i8, i32 }] [{ i8, i32 } { i8 1, i32 -2 }, { i8, i32 } zeroinitializer], align 4
@text = private constant [4 x i8] c"a\\\\\\0A\\00"
%struct.P = type { i32, %struct.Q }
%struct.Q = type <{ i8, i64 }>
define dso_local i33 @f(ptr noundef nonnull align 8 dereferenceable(16) %p, i33 range(i33 0, 9) %0) #3 {
  %2 = getelementptr inbounds nuw %struct.P, ptr %p, i64 3, i32 1, i32 1
  %"odd name" = load i64, ptr %2, align 1, !tbaa !4
  br i1 false, label %a, label %b

a:                                                ; preds = %1
  switch i64 %"odd name", label %b [
    i64 -1, label %a2
    i64 7, label %b
  ]

a2:
  ret i33 -1

b:
  %x = phi i33 [ %0, %1 ], [ 5, %a ], [ 5, %a ]
  ret i33 %x
}
"""  # noqa: E501


def test_reading_llvm_text() -> None:
    module = read_module(MODULE, {})
    function = module.functions["f"]
    assert [block.label for block in function.blocks] == ["1", "a", "a2", "b"]
    first = function.blocks[0].body
    assert str(first[0]) == "%2 = getelementptr ptr %p i64 3 i32 1 i32 1"
    assert ir.size_of(first[0].kind) == 16
    assert first[1].name == "odd name"
    switch = function.blocks[1].terminator
    assert switch.labels == ["b", "a2", "b"]
    assert switch.operands[1] == ir.Number(ir.I64, 2**64 - 1)
    assert function.returns == ir.Int(33)
    table = module.globals["table"].initial
    assert isinstance(table, ir.Group) and len(table.parts) == 2
    text = module.globals["text"].initial
    assert isinstance(text, ir.Group)
    assert [part.bits for part in text.parts] == [97, 92, 10, 0]  # type: ignore[attr-defined]


def test_the_ir_verifier_names_the_broken_rule() -> None:
    module = read_module(MODULE.replace("[ 5, %a ], [ 5, %a ]", "[ 5, %a2 ]"), {})
    with pytest.raises(VerifyError) as caught:
        verify(module)
    assert str(caught.value) == (
        "error: the IR of 'f' is broken: a phi's labels must be the predecessors\n"
        "  found:    %x = phi i33 %0 i33 5 1 a2"
    )
    other = read_module(MODULE.replace("ret i33 %x", "ret i33 %y"), {})
    with pytest.raises(VerifyError, match="%y is not defined"):
        verify(other)


def test_the_allocators_verifier_refuses_a_shared_register() -> None:
    ops = [
        make("SLOAD#", "", [64], 1),
        make("SLOAD#", "", [65], 2),
        make("SADD", "i64", [66, 64, 65]),
        make("SSTORE", "i64", [66, 66], 0),
        make("HALT", "", []),
    ]
    code = Code("f", True, [CodeBlock("", ops)])
    check(code, {64: 0, 65: 1, 66: 0})
    with pytest.raises(VerifyError) as caught:
        check(code, {64: 0, 65: 0, 66: 0})
    assert str(caught.value) == (
        "error: register allocation of 'f' lost a value\n"
        "  expected: virtual register 64 in $0\n"
        "  found:    [65] there, read by: SADD.i64 $66, $64, $65"
    )


def test_a_value_lost_on_one_of_two_ways_is_found() -> None:
    start = CodeBlock("", [make("SLOAD#", "", [64], 1), make("CB", "", [64], "b"),
                           make("JUMP", "", [], "a")])  # fmt: skip
    one = CodeBlock("a", [make("SLOAD#", "", [65], 2), make("JUMP", "", [], "b")])
    end = CodeBlock("b", [make("SSTORE", "i64", [64, 64], 0), make("HALT", "", [])])
    code = Code("f", True, [start, one, end])
    check(code, {64: 0, 65: 1})
    with pytest.raises(VerifyError):
        check(code, {64: 0, 65: 0})


def test_syncs_flow_round_a_loop() -> None:
    load = make("VLOAD", "", [64, 65, 66])
    multiply = make("VMS", "f16", [64, 65, 64, 66])
    body = CodeBlock("", [make("JUMP", "", [], "loop")])
    loop = CodeBlock("loop", [multiply, load, make("CB", "", [65], "loop"),
                              make("JUMP", "", [], "end")])  # fmt: skip
    end = CodeBlock("end", [make("HALT", "", [])])
    code = Code("f", True, [body, loop, end])
    add_syncs(code)
    found = [f"{op.name} {op.imm}" if op.name == "SYNC" else op.name for op in loop.ops]
    assert found == ["SYNC 2", "VMS", "SYNC 1", "VLOAD", "CB", "JUMP"]
    assert [op.name for op in end.ops] == ["HALT"]


def test_no_function_keeps_more_registers_than_there_are() -> None:
    assert len(ALLOCATABLE) == 62 and len(set(ALLOCATABLE)) == 62
