"""Control flow of an IR function: reachable blocks in a good order, loop depth, edges split.

In: a function as read.  Out: the same function with its unreachable blocks gone and a block of
its own on every critical edge that carries phi values, plus the order and depth of blocks.
"""

from __future__ import annotations

from zhisuan.bcl import ir


def _graph(function: ir.Function) -> dict[str, list[str]]:
    return {block.label: block.successors() for block in function.blocks}


def reverse_postorder(graph: dict[str, list[str]], entry: str) -> list[str]:
    """Blocks reachable from `entry`, each before those that only it leads to."""
    seen, order = {entry}, []
    stack = [(entry, iter(graph[entry]))]
    while stack:
        label, rest = stack[-1]
        for successor in rest:
            if successor not in seen:
                seen.add(successor)
                stack.append((successor, iter(graph[successor])))
                break
        else:
            order.append(label)
            stack.pop()
    return order[::-1]


def loop_depths(graph: dict[str, list[str]], entry: str) -> dict[str, int]:
    """How many natural loops each block lies in."""
    order = reverse_postorder(graph, entry)
    index = {label: i for i, label in enumerate(order)}
    before: dict[str, list[str]] = {label: [] for label in order}
    for label in order:
        for successor in graph[label]:
            before[successor].append(label)
    loops: dict[str, set[str]] = {}
    for label in order:
        for successor in graph[label]:
            if index[successor] <= index[label]:
                body = loops.setdefault(successor, {successor})
                pending = [label]
                while pending:
                    at = pending.pop()
                    if at not in body and index[at] >= index[successor]:
                        body.add(at)
                        pending.extend(before[at])
    return {label: sum(label in body for body in loops.values()) for label in order}


def prepare(function: ir.Function) -> dict[str, int]:
    """Drop unreachable blocks, split critical edges, order blocks; returns loop depths."""
    drop_unreachable(function)
    _split_edges(function)
    graph = _graph(function)
    entry = function.blocks[0].label
    depth = loop_depths(graph, entry)
    deepest_last = {label: sorted(to, key=lambda x: depth[x]) for label, to in graph.items()}
    order = reverse_postorder(deepest_last, entry)
    named = {block.label: block for block in function.blocks}
    function.blocks = [named[label] for label in order]
    return depth


def drop_unreachable(function: ir.Function) -> None:
    """Remove blocks that nothing leads to."""
    graph = _graph(function)
    alive = set(reverse_postorder(graph, function.blocks[0].label))
    if len(alive) == len(function.blocks):
        return
    function.blocks = [block for block in function.blocks if block.label in alive]
    for block in function.blocks:
        for phi in block.phis:
            pairs = [(v, at) for v, at in zip(phi.operands, phi.labels, strict=True) if at in alive]
            phi.operands = [value for value, _ in pairs]
            phi.labels = [label for _, label in pairs]


def _split_edges(function: ir.Function) -> None:
    """p → b, p with several successors and b with phis: p → p.b → b."""
    for block in list(function.blocks):
        if len(block.successors()) < 2:
            continue
        for target in block.successors():
            phis = function.block(target).phis
            if not phis:
                continue
            middle = f"{block.label}.to.{target}"
            jump = ir.Instruction("br", ir.VOID, labels=[target], place=block.terminator.place)
            function.blocks.append(ir.Block(middle, [jump]))
            end = block.terminator
            end.labels = [middle if label == target else label for label in end.labels]
            for phi in phis:
                position = phi.labels.index(block.label)
                keep = [i for i, at in enumerate(phi.labels) if at != block.label or i == position]
                phi.operands = [phi.operands[i] for i in keep]
                phi.labels = [middle if i == position else phi.labels[i] for i in keep]
