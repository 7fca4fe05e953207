"""Symbolic sizes: in come names such as `h` and integers, out come exact integer formulas.

A `Dim` is an `int` or a `Formula`: a sum of products of symbols and of floor divisions by a
positive integer, kept in one normal form so that equal sizes compare equal:

    (((h + 1) // 2) + 1) // 2   ->   (h + 3)//4          4*x - 4*x + 8   ->   8

Every formula prints as text that `parse` reads back.  Never approximates: a division whose
exactness cannot be shown is refused, not guessed.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import total_ordering

from zhisuan.base.errors import ZhisuanError


@dataclass(frozen=True)
class Quotient:
    """The atom `top // by`: floor division by a positive constant."""

    top: Formula
    by: int

    def __str__(self) -> str:
        return f"{_factor_text(self.top)}//{self.by}"


Atom = str | Quotient
Monomial = tuple[Atom, ...]  # the product of its atoms; () is the number one


@total_ordering
class Formula:
    """A symbolic integer; build it with `symbol` and ordinary arithmetic."""

    __slots__ = ("terms",)
    terms: tuple[tuple[Monomial, int], ...]

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Unknown):
            return True
        return isinstance(other, Formula) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(self.terms)

    def __lt__(self, other: object) -> bool:
        """Alphabetical, for stable printing; says nothing about the sizes."""
        return str(self) < str(other)

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, Unknown):
            return other
        return _sum([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, Unknown):
            return other
        products = [
            (_product(left, right), a * b) for left, a in self.terms for right, b in _terms(other)
        ]
        return _sum(products)

    __rmul__ = __mul__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + other * -1

    def __rsub__(self, other: Dim) -> Dim:
        return other + (self * -1)

    def __floordiv__(self, by: Dim) -> Dim:
        if isinstance(by, Unknown):
            return by
        if isinstance(by, int):
            return _divide(self, by)
        exact = divide_exactly(self, by)
        if exact is None:
            raise ZhisuanError(
                f"cannot divide the size {self} by {by}",
                expected="a divisor that is a positive integer or divides every term",
            )
        return exact

    def __rfloordiv__(self, other: int) -> Dim:
        if other == 0:
            return 0
        raise ZhisuanError(f"cannot divide the size {other} by {self}")

    def __str__(self) -> str:
        pieces = []
        for monomial, factor in self.terms:
            sign = "-" if factor < 0 else "+"
            pieces += [sign, _monomial_text(monomial, abs(factor))]
        text = " ".join(pieces)
        if text[0] == "+":
            return text.removeprefix("+ ")
        first = pieces[1] if "//" not in pieces[1] else f"({pieces[1]})"
        return " ".join(["-" + first, *pieces[2:]])

    __repr__ = __str__


class Unknown(Formula):
    """A size that only a run tells: any arithmetic on it is unknown, any size may be it.

    It agrees with every other size but the plain numbers 0, 1 and below, which have a meaning of
    their own in shape rules; whether it was right to agree is found out when the graph runs.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) or (isinstance(other, int) and other > 1)

    def __hash__(self) -> int:
        return 0

    def __add__(self, other: Dim) -> Dim:
        return self

    __radd__ = __sub__ = __rsub__ = __add__

    def __floordiv__(self, by: Dim) -> Dim:
        return self

    def __rfloordiv__(self, other: int) -> Dim:
        return self

    def __mul__(self, other: Dim) -> Dim:
        return 0 if other == 0 else self

    __rmul__ = __mul__

    def __neg__(self) -> Dim:
        return self

    def __str__(self) -> str:
        return "?"

    __repr__ = __str__


UNKNOWN = Unknown(((("?",), 1),))
Dim = int | Formula
Shape = tuple[Dim, ...]


def symbol(name: str) -> Formula:
    """The size called `name`, an identifier; two symbols of one name are the same size."""
    if not name.isidentifier():
        raise ZhisuanError(f"'{name}' cannot name a size", expected="an identifier such as h")
    return Formula((((name,), 1),))


def evaluate(dim: Dim, binding: Mapping[str, int]) -> int:
    """The number that `dim` is when every symbol has its value from `binding`."""
    if not isinstance(dim, Formula):
        return int(dim)
    return sum(
        factor * math.prod(_atom_value(atom, binding) for atom in monomial)
        for monomial, factor in dim.terms
    )


def evaluate_shape(shape: Iterable[Dim], binding: Mapping[str, int]) -> tuple[int, ...]:
    """Every dimension of `shape` as a number."""
    return tuple(evaluate(dim, binding) for dim in shape)


def symbols(dim: Dim) -> set[str]:
    """The names that `dim` depends on."""
    if not isinstance(dim, Formula) or isinstance(dim, Unknown):
        return set()
    found: set[str] = set()
    for monomial, _ in dim.terms:
        for atom in monomial:
            found |= {atom} if isinstance(atom, str) else symbols(atom.top)
    return found


def product(dims: Iterable[Dim]) -> Dim:
    """The product of all `dims`; 1 when there is none."""
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return result


def divide_exactly(top: Dim, by: Dim) -> Dim | None:
    """`top / by` when every term of `top` is seen to be a multiple of `by`, else None."""
    if isinstance(top, Unknown) or isinstance(by, Unknown):
        return UNKNOWN
    if top == by:
        return 1
    divisor = _terms(by)
    if len(divisor) != 1:
        return _divide_by_sum(top, by)
    monomial, factor = divisor[0]
    quotient: list[tuple[Monomial, int]] = []
    for term, count in _terms(top):
        rest = _without(term, monomial)
        if rest is None or count % factor:
            return None
        quotient.append((rest, count // factor))
    return _sum(quotient)


def parse(text: str) -> Dim:
    """The size that `text` spells, with `+ - * //`, parentheses, integers and names; or `?`."""
    if text.strip() == "?":
        return UNKNOWN
    try:
        return _from_ast(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, KeyError, RecursionError):
        raise ZhisuanError(
            f"'{text}' is not a size", expected="a formula such as 4*((h + 3)//4)"
        ) from None


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(dim, Formula):
        return dim.terms
    return (((), int(dim)),) if dim else ()


def _sum(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    """Collect equal products; a formula without symbols becomes an int."""
    total: dict[Monomial, int] = {}
    for monomial, factor in terms:
        total[monomial] = total.get(monomial, 0) + factor
    kept = {monomial: factor for monomial, factor in total.items() if factor}
    if not kept:
        return 0
    if set(kept) == {()}:
        return kept[()]
    return Formula(tuple(sorted(kept.items(), key=_print_order)))


def _print_order(term: tuple[Monomial, int]) -> tuple[int, list[str]]:
    """Highest degree first, the plain number last."""
    return -len(term[0]), [str(atom) for atom in term[0]]


def _product(left: Monomial, right: Monomial) -> Monomial:
    return tuple(sorted(left + right, key=str))


def _without(term: Monomial, factor: Monomial) -> Monomial | None:
    """`term / factor` as a product, or None when some atom of `factor` is missing."""
    rest = list(term)
    for atom in factor:
        if atom not in rest:
            return None
        rest.remove(atom)
    return tuple(rest)


def _divide(top: Formula, by: int) -> Dim:
    """Floor division in normal form; each step below keeps the value exactly.

    (k*q + r)//k -> q + r//k     (x//a + c)//b -> (x + a*c)//(a*b)     (g*x + c)//(g*k) ->
    (x + c//g)//k
    """
    if by <= 0:
        raise ZhisuanError(f"cannot divide the size {top} by {by}", expected="a positive integer")
    if by == 1:
        return top
    whole = _sum(
        (monomial, factor // by) for monomial, factor in top.terms if factor >= by or factor < 0
    )
    rest = top - whole * by
    if not isinstance(rest, Formula):
        return whole + rest // by
    constant = dict(rest.terms).get((), 0)
    symbolic = rest - constant
    assert isinstance(symbolic, Formula)
    common = math.gcd(by, *(factor for _, factor in symbolic.terms))
    if common > 1:
        reduced = _sum((monomial, factor // common) for monomial, factor in symbolic.terms)
        return whole + (reduced + constant // common) // (by // common)
    monomial, factor = symbolic.terms[0]
    inner = monomial[0]
    single = len(symbolic.terms) == 1 and factor == 1 and len(monomial) == 1
    if single and isinstance(inner, Quotient):
        return whole + (inner.top + constant * inner.by) // (inner.by * by)
    return whole + Formula((((Quotient(rest, by),), 1),))


def _divide_by_sum(top: Dim, by: Dim) -> Dim | None:
    """Exact division by a sum of several terms: one step of polynomial long division."""
    candidate = divide_exactly(_leading(top), _leading(by))
    return candidate if candidate is not None and by * candidate == top else None


def _leading(dim: Dim) -> Dim:
    terms = _terms(dim)
    return _sum(terms[:1])


def _atom_value(atom: Atom, binding: Mapping[str, int]) -> int:
    if isinstance(atom, Quotient):
        return evaluate(atom.top, binding) // atom.by
    if atom not in binding:
        raise ZhisuanError(
            f"the size '{atom}' has no value",
            expected=f"a binding for {atom}",
            found=", ".join(f"{k}={v}" for k, v in binding.items()) or "an empty binding",
        )
    return binding[atom]


def _factor_text(dim: Dim) -> str:
    """`dim` so that a following `*` or `//` binds to all of it."""
    text = str(dim)
    return text if text.isidentifier() or text.isdecimal() else f"({text})"


def _monomial_text(monomial: Monomial, factor: int) -> str:
    if not monomial:
        return str(factor)
    atoms = [atom if isinstance(atom, str) else f"({atom})" for atom in monomial]
    if factor == 1 and len(monomial) == 1:
        return str(monomial[0])
    return "*".join(([str(factor)] if factor != 1 else []) + atoms)


def _from_ast(node: ast.expr) -> Dim:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return symbol(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _from_ast(node.operand) * -1
    if not isinstance(node, ast.BinOp):
        raise KeyError(node)
    left, right = _from_ast(node.left), _from_ast(node.right)
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    if isinstance(node.op, ast.FloorDiv) and right != 0:
        return left // right
    raise KeyError(node.op)
