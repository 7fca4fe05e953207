"""Rules of the machine class that programs check for themselves, as codes of TRAP.

Comes in: nothing.  Goes out: the text of every code.  Where sizes are constants the compiler's
headers refuse a program by the same words; elsewhere the program stops with the code.
"""

from __future__ import annotations

FIRST = 16
"""Codes below are those of TRAP itself."""
RULES = (
    "elements times their size must be a positive multiple of 128 bytes",
    "elements times their size must be a positive multiple of 64 bytes",
    "NRAM operands must be aligned to 64 bytes",
    "the elements of src must be a multiple of those of seg",
    "dst and src must not overlap",
    "the elements must be a multiple of 1024",
    "the elements must be a multiple of 64",
    "height and width times the size must be multiples of 128 bytes",
    "channels times their size must be a multiple of 128 bytes",
    "input channels times their size must be a multiple of 64 bytes",
    "output channels must be a multiple of 64",
    "the kernel must be aligned to 32 bytes",
    "fix position must lie between minus 127 and 127",
    "height must be a multiple of 64",
    "width times the size must be a multiple of 64 bytes",
    "a copy to or from WRAM must be a multiple of 64 bytes",
    "a copy to or from WRAM must be a multiple of 16 bytes",
    "a copy within NRAM must be a multiple of 128 bytes",
    "WRAM addresses must be aligned to 8 bytes",
    "this copy direction is not supported",
)
"""Letters, digits and spaces alone: with underscores they are names in C."""
TEXTS = {FIRST + number: text for number, text in enumerate(RULES)}
