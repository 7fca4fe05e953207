"""Design-space exploration: many machines × programs, timed, with the best of them picked out.

Comes in: a sweep file.  Goes out: a table with a row for each machine and program, the Pareto
fronts in it, and a picture of them.  It changes no machine preset and no program.
"""
