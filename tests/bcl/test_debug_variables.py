"""Variables of programs compiled with -g, against what the same programs print."""

from __future__ import annotations

import re

import pytest
from debugged import Debugged
from variable_values import Value, value_of

from zhisuan import bcl
from zhisuan.bcl.code import ALLOCATABLE, CALLEE_SAVED, CALLER_SAVED
from zhisuan.isa import debug_table as d
from zhisuan.isa.asm import assemble
from zhisuan.isa.debug_query import lines_of, locals_at

# A line that ends in `//: name=%d …` prints that before it runs, in one of the two programs.
SOURCE = """\
typedef short small;
enum Mode { IDLE, BUSY = 7 };
struct Point { int x; float y; small pair[2]; };
struct Base { int id; };
struct Node : Base { Point at; unsigned flag : 3, rest : 5; Node *next; };
__nram__ int shared_table[4][2];
template <typename T, int N> struct Box {
  T items[N];
  __mlu_func__ T sum() const {
    T total = 0;
    for (int i = 0; i < N; i++) {
      total += items[i];  //: total=%d i=%d
    }
    return total;  //: total=%d
  }
};
__mlu_func__ __attribute__((noinline)) int fold(int *p, unsigned char n, const Point &at) {
  int acc = at.x;  //: n=%d at.x=%d
  while (n > 0) {
    small low = p[n - 1];  //: n=%d acc=%d
    {
      int acc = low * 2;  //: low=%d
      p[n - 1] = acc;  //: acc=%d low=%d
    }
    acc += low;  //: acc=%d low=%d n=%d
    n--;  //: acc=%d low=%d n=%d
  }
  return acc;  //: acc=%d n=%d
}
__mlu_entry__ void kernel(int *data) {
  __nram__ int tile[4];
  static int calls = 40;
  int total = 0;
  bool odd = false;
  Mode mode = IDLE;
  Point point = {3, 1.5f, {-1, 2}};  //: total=%d odd=%d mode=%d
  Node node;
  node.id = 9, node.flag = 5, node.rest = 17;  //: point.x=%d point.pair[0]=%d point.pair[1]=%d
  Box<int, 3> box = {{1, 20, 300}};  //: node.id=%d node.flag=%d node.rest=%d
  for (int i = 0; i < 3; i++) {
    int square = i * i;  //: i=%d total=%d
    tile[i] = square + 5;  //: i=%d square=%d
    odd = !odd;  //: tile[0]=%d tile[1]=%d odd=%d
    shared_table[i][1] = total;  //: tile[2]=%d odd=%d
    total += fold(tile, i, point);  //: total=%d shared_table[1][1]=%d
    point.x += calls++;  //: total=%d point.x=%d calls=%d
  }
  long long wide = (long long)total << 33;  //: total=%d tile[0]=%d
  mode = BUSY;  //: wide=%lld mode=%d
  total += box.sum();  //: box.items[0]=%d box.items[2]=%d mode=%d
  data[0] = total;  //: total=%d calls=%d
}
"""
TAGGED = re.compile(r"^(.*?)(\s*)//: (.*)$")


def tags() -> dict[int, list[tuple[str, str]]]:
    """Line → the names it prints, with their formats."""
    found = {}
    for number, line in enumerate(SOURCE.splitlines(), 1):
        if match := TAGGED.match(line):
            found[number] = [tuple(word.split("=")) for word in match[3].split()]
    return found


def printing() -> str:
    """The program with the printing, each line still in its place."""
    lines = []
    for number, line in enumerate(SOURCE.splitlines(), 1):
        names = tags().get(number)
        if names:
            shown = " ".join(f"{name}={kind}" for name, kind in names)
            values = ", ".join(name for name, _ in names)
            line = f'printf("{number} {shown}\\n", {values}); {line}'
        lines.append(line)
    return "\n".join(lines)


def variable(task: Debugged, path: str) -> Value:
    """The value of `name.member[3]…`, of the innermost variable of that name."""
    frame = task.frames()[0]
    table = task.program.debug
    assert table is not None
    name, *rest = re.findall(r"\w+", path)
    known = [*((v.name, v.type, v.places[0].where) for v in table.globals),
             *((v.name, v.type, v.location)
               for v in locals_at(task.program, task.pc, frame.scopes))]  # fmt: skip
    _, kind, where = [entry for entry in known if entry[0] == name][-1]
    plain = table.plain(kind)
    if isinstance(plain, d.Pointer) and plain.is_reference:
        assert where is not None
        kind, where = plain.to, d.Load(where)
    value = value_of(table, kind, where, task.look(frame))
    for part in rest:
        if isinstance(value, dict):
            value = value[part] if part in value else value["Base"][part]  # type: ignore[index,call-overload]
        elif isinstance(value, list):
            value = value[int(part)]
    return value


@pytest.fixture(scope="module")
def expected() -> list[str]:
    program = bcl.compile(printing(), "kernel.bcl", optimize=0).program
    task = Debugged(program)
    for _ in task.steps():
        pass
    return task.printed.splitlines()


def seen(optimize: int, registers: tuple[int, ...] = ALLOCATABLE) -> list[str]:
    """What the program that prints nothing would print, read from outside."""
    llvm = bcl.compile(SOURCE, "kernel.bcl", optimize=optimize).llvm
    program = bcl.from_llvm(llvm, "kernel", registers=registers, debug=True)
    stops = {pcs[0]: line for line, pcs in lines_of(program, "kernel.bcl").items()}
    task, found, wanted = Debugged(program), [], tags()
    for pc in task.steps():
        line = stops.get(pc, 0)
        if line in wanted:
            values = [(name, variable(task, name)) for name, _ in wanted[line]]
            texts = [f"{name}={'?' if v is None else int(v)}" for name, v in values]  # type: ignore[arg-type]
            found.append(f"{line} {' '.join(texts)}")
    return found


def test_without_optimisation_every_variable_has_its_value_on_every_line(
    expected: list[str],
) -> None:
    assert len(expected) == 50
    assert seen(0) == expected


FEW = (*CALLER_SAVED[:3], *CALLEE_SAVED[:3])


@pytest.mark.parametrize("registers", [ALLOCATABLE, FEW], ids=["all", "few"])
def test_with_optimisation_what_is_shown_is_right(
    expected: list[str], registers: tuple[int, ...]
) -> None:
    """Lines may be gone, and values; those that are there are those of the source."""
    shown, rest = seen(2, registers), iter(expected)
    for line in shown:
        pattern = re.compile(re.escape(line).replace(r"\?", r"-?\d+") + r"\Z")
        assert any(pattern.match(truth) for truth in rest), line
    values = [word for line in shown for word in line.split()[1:]]
    known = [word for word in values if not word.endswith("?")]
    assert len(known) > 45 and len(known) > 0.8 * len(values)


def test_a_backtrace_has_the_variables_of_the_callers() -> None:
    program = bcl.compile(SOURCE, "kernel.bcl", optimize=0, debug=True).program
    assert program.debug is not None
    (inside,) = lines_of(program, "kernel.bcl")[23]
    task, found = Debugged(program), []
    for pc in task.steps():
        if pc != inside:
            continue
        frames = task.frames()
        names = {
            local.name: value_of(program.debug, local.type, local.location, task.look(frames[1]))
            for local in locals_at(program, frames[1].pc, frames[1].scopes)
        }
        found.append((names["i"], names["square"], names["total"]))
        assert [(frame.function, frame.place[1]) for frame in frames] == [
            ("fold", 23), ("kernel", 45)
        ]  # fmt: skip
    assert found == [(1, 1, 3), (2, 4, 51), (2, 4, 51)]


RECURSIVE = """\
__mlu_func__ __attribute__((noinline)) int sum(int n, int *seen) {
  int here = n * 10;
  if (n == 0) {
    seen[0] = here;
    return 0;
  }
  int below = sum(n - 1, seen);
  seen[n] = below;
  return here + below;
}
__mlu_entry__ void kernel(int *data) { data[9] = sum(4, data); }
"""


@pytest.mark.parametrize("optimize", [0, 1])
def test_a_recursive_function_has_a_frame_for_each_call(optimize: int) -> None:
    """At every word, prologues and epilogues too."""
    program = bcl.compile(RECURSIVE, "kernel.bcl", optimize=optimize, debug=True).program
    task, deepest, calls = Debugged(program), 0, 0
    for pc in task.steps():
        names = [frame.function for frame in task.frames()]
        assert names[-1] == "kernel" and set(names[:-1]) <= {"sum"}
        if pc == program.debug.functions[1].start:  # type: ignore[union-attr]
            calls += 1
            assert len(names) == calls + 1
        deepest = max(deepest, len(names))
    assert (deepest, calls) == (6, 5)


def test_the_table_changes_no_instruction_and_programs_without_it_have_none() -> None:
    for optimize in (0, 1, 2, 3):
        plain = bcl.compile(SOURCE, "kernel.bcl", optimize=optimize)
        told = bcl.compile(SOURCE, "kernel.bcl", optimize=optimize, debug=True)
        assert told.program.words.tolist() == plain.program.words.tolist()
        assert told.program.lines.tolist() == plain.program.lines.tolist()
        assert plain.program.debug is None and b'"debug"' not in plain.program.to_bytes()
        assert ".variable" not in plain.assembly
        assert assemble(told.assembly).debug == told.program.debug


VALUES = """\
union Bits { float real; unsigned whole; };
struct Packed { int a : 3, b : 7; bool on; };
struct Big { long long words[5]; Packed packed; };
namespace deep { struct Inner { half h; bfloat16 b; }; }
enum class Small : signed char { MINUS = -3, PLUS = 3 };
__mlu_func__ __attribute__((noinline)) int look(Big big, int &out, const float *where) {
  const half ratio = (half)0.25f;
  bfloat16 brain = bfloat16(1.5f);
  deep::Inner inner = {(half)-2.0f, bfloat16(3.0f)};
  half grid[2][3] = {{(half)1.0f, (half)2.0f, (half)3.0f}, {(half)4.0f, (half)5.0f, (half)6.0f}};
  Bits bits;
  bits.real = 1.0f;
  Small small = Small::MINUS;
  unsigned char byte = 200;
  char letter = 'x';
  long long negative = -5000000000LL;
  short (*unused)(const deep::Inner &, char **) = nullptr;
  int run[out];
  run[0] = 77;
  out = (int)big.words[4] + byte;
  return out + run[0];
}
__mlu_entry__ void kernel(int *data) {
  Big big = {{1, 2, 3, 4, 5}, {-2, 60, true}};
  int number = 3;
  float table[2] = {0.5f, -0.5f};
  data[0] = look(big, number, table);
}
"""


def test_types_and_their_values() -> None:
    program = bcl.compile(VALUES, "kernel.bcl", optimize=0, debug=True).program
    table = program.debug
    assert table is not None
    (stop,) = lines_of(program, "kernel.bcl")[21]
    task = Debugged(program)
    next(pc for pc in task.steps() if pc == stop)
    frame = task.frames()[0]
    found = {
        local.name: (table.name_of(local.type),
                     value_of(table, local.type, local.location, task.look(frame)))
        for local in locals_at(program, stop)
    }  # fmt: skip
    out, where = found.pop("out")[1], found.pop("where")[1]
    assert isinstance(out, int) and task.read(out, 4) == (205).to_bytes(4, "little")
    assert isinstance(where, int) and task.read(where, 4) == bytes.fromhex("0000003f")
    assert found.pop("run")[0] == "int[]"
    assert found == {
        "big": ("Big", {"words": [1, 2, 3, 4, 5], "packed": {"a": -2, "b": 60, "on": True}}),
        "ratio": ("const half", 0.25),
        "brain": ("bfloat16", 1.5),
        "inner": ("Inner", {"h": -2.0, "b": 3.0}),
        "grid": ("half[2][3]", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        "bits": ("Bits", {"real": 1.0, "whole": 0x3F800000}),
        "small": ("Small", -3),
        "byte": ("unsigned char", 200),
        "letter": ("char", ord("x")),
        "negative": ("long long", -5000000000),
        "unused": ("short (const Inner&, char**)*", 0),
    }


INLINED = """\
struct Box {
  int items[4];
  __mlu_func__ int get(int at) const { return items[at]; }
};
template <typename T> __mlu_func__ T twice(T value) {
  T result = value + value;
  return result;
}
__mlu_entry__ void kernel(int *data) {
  Box *box = (Box *)data;
  data[5] = twice(box->get(2));
  data[6] = twice(7);
}
"""


def test_what_is_inlined_has_frames_of_its_own() -> None:
    program = bcl.compile(INLINED, "kernel.bcl", optimize=2, debug=True).program
    task, found = Debugged(program), set()
    for _ in task.steps():
        found.add(tuple((frame.function, frame.place[1]) for frame in task.frames()))
    assert (("Box::get", 3), ("kernel", 11)) in found
    assert (("twice<int>", 6), ("kernel", 11)) in found
