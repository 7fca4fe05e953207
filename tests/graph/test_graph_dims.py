"""Symbolic sizes: arithmetic means what integers mean, equal sizes are equal, text reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.dims import Dim, divide_exactly, evaluate, parse, symbol, symbols

h, w = symbol("h"), symbol("w")

LEAVES = st.sampled_from([h, w]) | st.integers(-9, 9)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(st.sampled_from("+-*"), inner, inner)
        | st.tuples(st.just("/"), inner, st.integers(1, 6))
    ),
    max_leaves=8,
)


def build(tree, leaf) -> Dim:
    """`tree` computed with Python's own operators on what `leaf` makes of the leaves."""
    if not isinstance(tree, tuple):
        return leaf(tree)
    sign, left, right = tree[0], build(tree[1], leaf), build(tree[2], leaf)
    if sign == "/":
        return left // right
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


@given(TREES, st.integers(0, 50), st.integers(0, 50))
def test_formulas_compute_what_integers_compute(tree, height: int, width: int) -> None:
    binding = {"h": height, "w": width}
    numbers = build(tree, lambda leaf: evaluate(leaf, binding))
    assert evaluate(build(tree, lambda leaf: leaf), binding) == numbers


@given(TREES)
def test_text_parses_back_to_the_same_size(tree) -> None:
    size = build(tree, lambda leaf: leaf)
    assert parse(str(size)) == size


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (4 * ((((h + 1) // 2) + 1) // 2), 4 * ((h + 3) // 4)),
        ((4 * h + 7) // 4, h + 1),
        ((h - 1) // 2 + 1, (h + 1) // 2),
        ((6 * h + 3) // 9, (2 * h + 1) // 3),
        (h * w - w * h, 0),
        ((h + w) * (h - w), h * h - w * w),
        (0 - (0 - h), h),
    ],
)
def test_equal_sizes_have_one_normal_form(left: Dim, right: Dim) -> None:
    assert left == right
    assert str(left) == str(right)


def test_different_sizes_differ() -> None:
    assert (h + 1) // 2 != h // 2
    assert symbols(4 * ((h + 3) // 4) + w) == {"h", "w"}


def test_exact_division() -> None:
    assert divide_exactly(32 * h * w, 8 * w) == 4 * h
    assert divide_exactly(h * w + w, h + 1) == w
    assert divide_exactly(32 * h, 5) is None
    assert divide_exactly(h, w) is None


@pytest.mark.parametrize("text", ["", "h +", "h / 2", "2 ** h", "f(h)", "h // 0", "1.5", "True"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        parse(text)
    assert str(caught.value) == (
        f"error: '{text}' is not a size\n  expected: a formula such as 4*((h + 3)//4)"
    )


def test_a_size_without_value_is_named() -> None:
    with pytest.raises(ZhisuanError) as caught:
        evaluate(h + w, {"w": 3})
    assert str(caught.value) == (
        "error: the size 'h' has no value\n  expected: a binding for h\n  found:    w=3"
    )
