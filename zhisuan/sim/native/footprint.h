/* What scalar runs touch outside the core; sim/footprint.py is the definition and explains it. */
#pragma once
#include "core.h"

/* Room for all that the run in progress may leave, and `more`. */
INLINE int footprints_fit(const Core *core, i64 more) {
    return core->footprint_count + core->branch_count + 1 + STREAMS + more
           <= core->footprint_capacity;
}

INLINE void take_branch(Core *core, i64 pc, i64 target) {
    i64 slot = core->branch_slot[pc];
    if (!slot) {
        slot = core->branch_slot[pc] = ++core->branch_count;
        core->branches[slot - 1] =
            (Footprint){.kind = FOOTPRINT_CODE, .first = core->stretch, .last = pc};
    }
    Footprint *branch = core->branches + slot - 1;
    if (core->stretch < branch->first) branch->first = core->stretch;
    branch->count++;
    core->stretch = target;
}

INLINE void leave(Core *core, Footprint *stream) {
    if (!(stream->count + stream->stores)) return;
    stream->row = core->rows_entered;
    stream->kind = FOOTPRINT_DATA;
    core->footprints[core->footprint_count++] = *stream;
    stream->count = stream->stores = 0;
}

__attribute__((noinline, unused)) static void touch_line(Core *core, u64 address, int write) {
    const i64 line = (i64)(address >> LINE_BITS);
    for (int i = 0; i < STREAMS; i++) {
        Footprint *s = core->streams + i;
        if (!(s->count + s->stores) || line < s->first - 1 || line > s->last + 1) continue;
        if (line < s->first) s->first = line;
        if (line > s->last) s->last = line;
        *(write ? &s->stores : &s->count) += 1;
        return;
    }
    Footprint *oldest = core->streams + core->oldest_stream;
    leave(core, oldest);
    *oldest = (Footprint){.first = line, .last = line, .count = !write, .stores = write};
    core->oldest_stream = (core->oldest_stream + 1) % STREAMS;
}

/* The run of the next row ends; its last instruction was at `last`. */
INLINE void end_footprints(Core *core, i64 last) {
    for (int i = 0; i < STREAMS; i++) leave(core, core->streams + i);
    core->oldest_stream = 0;
    if (!core->branch_count) return;
    for (i64 i = 0; i < core->branch_count; i++) {
        Footprint *branch = core->branches + i;
        branch->row = core->rows_entered;
        core->branch_slot[branch->last] = 0;
        core->footprints[core->footprint_count++] = *branch;
    }
    if (core->stretch <= last)
        core->footprints[core->footprint_count++] =
            (Footprint){.row = core->rows_entered, .kind = FOOTPRINT_CODE, .first = core->stretch,
                        .last = last, .count = 1};
    core->branch_count = 0;
}
