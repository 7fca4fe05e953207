"""The element types that a product may have, as product.h numbers them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ElementTypes:
    """Types of what is multiplied and of the result, their bytes, and product.h's number."""

    source: str
    result: str
    in_size: int
    out_size: int
    number: int


HALF_TO_HALF = ElementTypes("f16", "f16", 2, 2, 0)
INT8_TO_INT8 = ElementTypes("i8", "i8", 1, 1, 1)
INT8_TO_HALF = ElementTypes("i8", "f16", 1, 2, 2)
