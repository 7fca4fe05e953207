"""Addresses that move with a loop: pointers that are added to, with the values of indexing."""

from __future__ import annotations

import numpy as np
import pytest
from chip import instructions, run

from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError


def loop(source: str) -> list[str]:
    """The instructions between the last backward branch's target and itself, by their names."""
    text = bcl.compile(source, "kernel.bcl").assembly.splitlines()
    end = max(i for i, line in enumerate(text) if line.split()[:1] in (["CB"], ["CBZ"]))
    label = text[end].split()[1].rstrip(",")
    body = text[text.index(f"{label}:") : end + 1]
    return [line.split()[0] for line in body if line.startswith("        ")]


def kernel(body: str) -> str:
    return f"__mlu_entry__ void k(int *out, const int *a, const int *b, int n, int m) {{ {body} }}"


def test_an_index_becomes_pointers_that_move_on() -> None:
    found = loop(kernel("for (int i = 0; i < n; i++) out[i] = a[i * m] + b[i];"))
    assert sorted(found) == sorted(
        ["SLOAD.i32"] * 2 + ["SADD.i32", "SSTORE.i32"] + ["SADD.i64"] * 4 + ["SEQ.i64", "CBZ"]
    )


def test_neighbours_share_a_pointer() -> None:
    source = kernel("for (int i = 1; i < n; i++) out[i] = a[i - 1] + a[i] + a[i + 1];")
    loads = [line for line in instructions(source) if line.startswith("SLOAD.i32")]
    bases = {line.split(",")[1] for line in loads[-3:]}
    assert len(bases) == 1


@pytest.mark.parametrize("body", [
    "for (int i = n - 1; i >= 0; i--) out[i] = a[i] - b[n - 1 - i];",
    "for (int i = 0; i < n; i += m) { out[i] = a[i]; if (b[i] > 0) out[i + 1] += b[n - i - 1]; }",
    "for (long i = 0, j = m; i < n; i++, j += m) out[i] = a[j % n] + b[(i * m) & 15];",
    "for (int i = 0; i < n; i++) { const int *p = i & 1 ? a : b; out[i] = p[n - 1 - i]; }",
    "struct S { int x, y[3]; }; auto *s = (const S *)a;"
    " for (int i = 0; i < n / 4; i++) { out[2 * i] = s[i].y[2]; out[2 * i + 1] = s[i].x; }",
])  # fmt: skip
def test_values_are_those_without_optimisation(body: str) -> None:
    random = np.random.default_rng(1)
    a, b = (random.integers(-99, 99, 16).astype(np.int32) for _ in range(2))
    found = []
    for optimize in (0, 2):
        out = np.zeros(16, np.int32)
        run(kernel(body), out, a, b, 16, 2, optimize=optimize, checks=())
        found.append(out)
    np.testing.assert_array_equal(*found)
    assert found[0].any()


def test_weights_are_refused_in_loops_too() -> None:
    body = "__wram__ int w[64]; for (int i = 0; i < n; i++) out[i] = w[i];"
    with pytest.raises(ZhisuanError, match="scalar code cannot read 'w', which lies in wram"):
        bcl.compile(kernel(body), "kernel.bcl")
