"""The instruction set: one declaration per instruction, and everything derived from it.

Comes in: assembly text, encoded words, or a compiler's instruction list.  Goes out: the other
two, and the manual.  It never executes anything: `sim` does, by calling the meanings here.
"""
