"""The debugger: a launch, instruction by instruction, forwards and backwards.

Comes in: a launch that is about to begin.  Goes out: where its tasks are and what they hold, at any
moment.  `session` is its heart; `terminal` and `dap` are the two ways to talk to it.
"""
