"""BCL, the kernel language: BANG C compatible C++ compiled for the DLP.

Comes in: kernel source.  Goes out: a `Program` (encoded words, constants, line table), with the
LLVM IR and assembly it went through.  Never runs anything: `sim` does.
"""

from zhisuan.bcl.compile import Compiled, compile, from_llvm

__all__ = ["Compiled", "compile", "from_llvm"]
