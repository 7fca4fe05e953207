/* The walk through time; sim/walk.py is the definition and explains it. */
#include "core.h"

enum { QUEUES = 3, UNITS = 5, WAIT_BARRIER = 0, WAIT_SYNC = 1, WAIT_FULL = 2, WAIT_STALL = 3 };
static const int CAUSE_OF_WAIT[WAITS] = {CAUSE_BARRIER, CAUSE_SYNC, CAUSE_QUEUE_FULL,
                                         CAUSE_INSTRUCTION_FETCH, CAUSE_CACHE, CAUSE_TLB, CAUSE_DRAM};

INLINE i64 later(i64 a, i64 b) { return a > b ? a : b; }
INLINE int queue_of(int unit) { return unit == UNIT_IO ? 1 : unit == UNIT_MOVE ? 2 : 0; }
/* Row, start and number of an instruction of a queue stand in columns of the core's rows. */
INLINE i64 slot(const Replay *r, const Walker *c, int q, i64 n) { return q * r->rows + c->first_row + n; }
INLINE int wait_of(int kind) {
    return kind == BARRIER_KIND ? WAIT_BARRIER
           : kind == SCALAR_KIND || kind == SYNC_KIND ? WAIT_SYNC : WAIT_FULL;
}

static void advance(const Replay *r, Walker *c, i64 busy, i64 until, int wait) {
    const i64 row = c->row, busy_until = c->now + busy;
    c->now = later(busy_until, until);
    r->busy_until[row] = busy_until;
    r->decoded[row] = c->now;
    for (int w = 0; w < WAITS; w++) r->waited_before[w * r->rows + row] = c->waited[w];
    for (int s = 0; s < STALLS; s++) c->waited[WAIT_STALL + s] += r->stalls[s * r->rows + row];
    c->waited[wait] += c->now - busy_until;
}

/* Add what the decoder has waited in a step since its start. */
static void wait_in_step(const Replay *r, i64 row, i64 moment, i64 *waited) {
    const i64 *stall = r->stalls + row;
    i64 since = moment - (r->busy_until[row] - r->decode[row]);
    waited[WAIT_STALL + STALL_FETCH] += stall[0] < since ? stall[0] : since;
    since -= r->decode[row];
    for (int s = 1; s < STALLS; s++) since += stall[s * r->rows];
    for (int s = 1; s < STALLS; s++) {
        const i64 cycles = stall[s * r->rows];
        if (since > 0) waited[WAIT_STALL + s] += since < cycles ? since : cycles;
        since -= cycles;
    }
    waited[wait_of(r->kind[row])] += later(0, since);
}

/* Cycles the decoder had waited at `moment` (not before the last asked for this unit). */
static void waited_until(const Replay *r, Walker *c, i64 moment, int unit, i64 *waited) {
    i64 row = c->step[unit];
    while (row < c->row && r->decoded[row] <= moment) row++;
    c->step[unit] = row;
    for (int w = 0; w < WAITS; w++)
        waited[w] = row == c->row ? c->waited[w] : r->waited_before[w * r->rows + row];
    if (row < c->row) wait_in_step(r, row, moment, waited);
}

static int conflict(const Replay *r, i64 row, i64 other) {
    for (int i = 0; i < TOUCHES; i++)
        for (int j = 0; j < TOUCHES; j++) {
            const i64 a = i * r->rows + row, b = j * r->rows + other;
            if (!r->writes[a] && !r->writes[b]) continue;
            const i64 low = later(r->low[a], r->low[b]);
            if (low < r->high[a] && low < r->high[b]) return 1;
        }
    return 0;
}

static void interlock(const Replay *r, Walker *c, i64 row, i64 ready, i64 *released, i64 *room) {
    i64 kept = 0, soonest = 0, *window = r->window_rows + c->number * (r->window + 1);
    for (i64 i = 0; i < c->unfinished; i++) {
        const i64 other = window[i];
        if (r->done[other] <= ready) continue;
        window[kept++] = other;
        if (conflict(r, row, other)) *released = later(*released, r->done[other]);
        if (kept == 1 || r->done[other] < soonest) soonest = r->done[other];
    }
    c->unfinished = kept;
    if (kept >= r->window) *room = soonest;
}

INLINE i64 *cycles_of(const Replay *r, const Walker *c, int unit) {
    return r->core_cycles + ((r->launch * r->places + c->place) * UNITS + unit) * CAUSES;
}

/* `row` has been decoded, the last step or an earlier one. */
static void account_gap(const Replay *r, Walker *c, int unit, i64 row, int reasons,
                        const i64 *until, const int *cause) {
    i64 *cycles = cycles_of(r, c, unit), at = c->free[unit];
    if (r->queued[row] > at) {
        i64 waited[WAITS];
        waited_until(r, c, at, unit, waited);
        cycles[CAUSE_DECODE] += r->queued[row] - at;
        for (int w = 0; w < WAITS; w++) {
            i64 after = r->waited_before[w * r->rows + row];
            if (w == WAIT_FULL) after += r->decoded[row] - r->busy_until[row];
            if (w >= WAIT_STALL) after += r->stalls[(w - WAIT_STALL) * r->rows + row];
            cycles[CAUSE_OF_WAIT[w]] += after - waited[w];
            cycles[CAUSE_DECODE] -= after - waited[w];
        }
        at = r->queued[row];
    }
    for (int i = 0; i < reasons; i++) {
        cycles[cause[i]] += later(0, until[i] - at);
        at = later(at, until[i]);
    }
}

static void place(const Replay *r, Walker *c, i64 row, i64 start, i64 occupancy) {
    const int unit = r->kind[row], q = queue_of(unit);
    const i64 end = start + occupancy, done = end + r->latency[row];
    cycles_of(r, c, unit)[CAUSE_BUSY] += end - start;
    r->start[row] = start;
    r->end[row] = end;
    r->done[row] = done;
    r->starts[slot(r, c, q, c->issued[q]++)] = start;
    c->queue_done[q] = later(c->queue_done[q], done);
    c->free[unit] = end;
    c->unit_done[unit] = later(c->unit_done[unit], done);
}

static void issue(const Replay *r, Walker *c, i64 row) {
    const int unit = r->kind[row];
    const i64 in_order = c->issued[0] ? r->starts[slot(r, c, 0, c->issued[0] - 1)] : c->first;
    const i64 ready = later(later(c->free[unit], r->queued[row]), in_order);
    i64 released = 0, room = 0;
    interlock(r, c, row, ready, &released, &room);
    const i64 until[] = {in_order, released, room};
    const int cause[] = {CAUSE_IN_ORDER, CAUSE_OPERANDS, CAUSE_WINDOW};
    account_gap(r, c, unit, row, 3, until, cause);
    place(r, c, row, later(ready, later(released, room)), r->occupancy[row]);
    r->window_rows[c->number * (r->window + 1) + c->unfinished++] = row;
}

INLINE i64 pending(const Walker *c, int q) { return c->taken[q] - c->issued[q]; }

/* The first cycle that is not before a moment of the DRAM. */
INLINE i64 cycle_of(i64 moment) { return -(-moment >> FRACTION); }

/* When the first pending transfer of a queue could start or go on, as far as the core goes. */
INLINE i64 ready(const Replay *r, const Walker *c, int q) {
    if (q == 1 && c->is_served) return cycle_of(c->served.ready);
    const i64 row = r->fifo[slot(r, c, q, c->issued[q])];
    return later(c->free[r->kind[row]], r->queued[row]);
}

/* When all that a row needs is free, not before `start`, and which kind is the last. */
static i64 wait_for(const Replay *r, i64 row, i64 start, int *cause) {
    for (i64 i = r->share_first[row]; i < r->share_first[row + 1]; i++) {
        const i64 resource = r->share_resource[i];
        if (r->resource_free[resource] <= start) continue;
        start = r->resource_free[resource];
        *cause = resource == 0 ? CAUSE_DRAM : resource <= r->clusters ? CAUSE_SRAM : CAUSE_NOC;
    }
    return start;
}

/* Keep it busy from `start`; when the last of it is free again. */
static i64 take_shares(const Replay *r, i64 row, i64 start) {
    i64 last = start;
    for (i64 i = r->share_first[row]; i < r->share_first[row + 1]; i++) {
        const i64 end = start + r->share_cycles[i];
        r->resource_free[r->share_resource[i]] = end;
        last = later(last, end);
    }
    return last;
}

/* Serve a turn of a transfer by the DRAM's channels; place it after the last. */
static void serve(const Replay *r, Walker *c, i64 row) {
    int cause = CAUSE_DRAM;
    if (!c->is_served) {
        const i64 at = ready(r, c, 1), start = wait_for(r, row, at, &cause);
        const i64 moment = start << FRACTION;
        c->links_waited = start - at;
        c->links_end = take_shares(r, row, start);
        c->served = (Progress){.block = r->dram->block_first[row], .ready = moment, .asked = moment};
        c->is_served = 1;
    }
    if (!serve_turn(r->dram, &c->served, row)) return;
    c->is_served = 0;
    const i64 first = ready(r, c, 1), end = later(cycle_of(c->served.ready), c->links_end);
    const i64 waited = c->served.waited >> FRACTION, start = first + c->links_waited + waited;
    cause = c->links_waited > waited ? CAUSE_NOC : CAUSE_DRAM;
    if (start > first) r->held_by[row] = cause;
    account_gap(r, c, UNIT_IO, row, 1, &start, &cause);
    place(r, c, row, start, later(end - start, 1));
}

static void place_transfer(const Replay *r, Walker *c, int q) {
    const i64 row = r->fifo[slot(r, c, q, c->issued[q])];
    if (r->dram && r->dram->block_first[row] < r->dram->block_first[row + 1]) {
        serve(r, c, row);
        return;
    }
    const i64 at = ready(r, c, q);
    int cause = CAUSE_DRAM;
    const i64 start = wait_for(r, row, at, &cause);
    if (start > at) r->held_by[row] = cause;
    const i64 occupancy = later(r->occupancy[row], take_shares(r, row, start) - start);
    account_gap(r, c, r->kind[row], row, 1, &start, &cause);
    place(r, c, row, start, occupancy);
}

/* When the queues in `mask` have drained; -1 while that is not known. */
static i64 drained(const Walker *c, i64 mask) {
    i64 moment = 0;
    for (int q = 0; q < QUEUES; q++) {
        if (!(mask >> q & 1)) continue;
        if (q && pending(c, q)) return -1;
        moment = later(moment, c->queue_done[q]);
    }
    return moment;
}

static void hold(const Replay *r, Walker *c, i64 row, i64 until, int wait) {
    r->start[row] = c->now;
    advance(r, c, r->decode[row], until, wait);
    r->end[row] = r->done[row] = c->now;
}

/* Whether the decoder is through with the row; `met`: a meeting became complete. */
static int take(const Replay *r, Walker *c, i64 row, int *met) {
    const int kind = r->kind[row], wait = wait_of(kind);
    if (wait == WAIT_FULL) {
        const int q = queue_of(kind);
        if (pending(c, q) >= r->depth[q]) return 0;
        const i64 before = c->taken[q] - r->depth[q];
        advance(r, c, r->decode[row], before >= 0 ? r->starts[slot(r, c, q, before)] : c->first, wait);
        r->queued[row] = c->now;
        r->fifo[slot(r, c, q, c->taken[q]++)] = row;
        if (q == 0) {
            c->row++; /* its own step counts among those taken */
            issue(r, c, row);
            c->row--;
        }
        return 1;
    }
    if (wait == WAIT_SYNC || !c->arrived) {
        const i64 moment = drained(c, r->mask[row]);
        if (moment < 0) return 0;
        if (wait == WAIT_SYNC) {
            hold(r, c, row, moment, wait);
            return 1;
        }
        i64 *release = r->release + r->meeting[row];
        *release = later(*release, later(c->now + r->decode[row], moment));
        c->arrived = 1;
        if (!--r->missing[r->meeting[row]]) *met = 1;
    }
    if (r->missing[r->meeting[row]]) return 0;
    c->arrived = 0;
    hold(r, c, row, r->release[r->meeting[row]], wait);
    return 1;
}

static int advance_all(const Replay *r, Walker *c) {
    int met = 0;
    while (c->row < c->end_row && take(r, c, c->row, &met)) c->row++;
    return met;
}

static i64 over_of(const Walker *c) {
    i64 over = c->now;
    for (int u = 1; u < UNITS; u++) over = later(over, c->unit_done[u]);
    return over;
}

static void account_for_the_end(const Replay *r, const Walker *c, i64 begin, i64 over) {
    const i64 own = over_of(c);
    i64 *scalar = cycles_of(r, c, 0), rest = 0;
    for (int u = 1; u < UNITS; u++) {
        i64 *cycles = cycles_of(r, c, u);
        cycles[CAUSE_DRAIN] += c->unit_done[u] - c->free[u];
        cycles[CAUSE_IDLE] += over - c->unit_done[u];
    }
    for (int w = 0; w < WAITS; w++) scalar[CAUSE_OF_WAIT[w]] = c->waited[w];
    scalar[CAUSE_DRAIN] = own - c->now;
    scalar[CAUSE_IDLE] = over - own;
    for (int cause = 0; cause < CAUSES; cause++) rest += scalar[cause];
    scalar[CAUSE_BUSY] = over - begin - rest;
}

static void run_together(const Replay *r, Walker *cores, i64 count) {
    int met = 1;
    for (;;) {
        while (met) {
            met = 0;
            for (i64 n = 0; n < count; n++) met |= advance_all(r, cores + n);
        }
        i64 soonest = 0, chosen = -1;
        int queue = 0;
        for (i64 n = 0; n < count; n++)
            for (int q = 1; q < QUEUES; q++) {
                if (!pending(cores + n, q)) continue;
                const i64 moment = ready(r, cores + n, q);
                if (chosen >= 0 && moment >= soonest) continue;
                soonest = moment;
                chosen = n;
                queue = q;
            }
        if (chosen < 0) return;
        place_transfer(r, cores + chosen, queue);
        met = advance_all(r, cores + chosen);
    }
}

static void start(const Replay *r, Walker *c, i64 number, i64 stretch, i64 first) {
    *c = (Walker){.number = number, .place = r->stretch_place[stretch], .now = first, .first = first,
                  .row = r->stretch_first[stretch], .first_row = r->stretch_first[stretch],
                  .end_row = r->stretch_end[stretch]};
    for (int u = 0; u < UNITS; u++) {
        c->free[u] = c->unit_done[u] = first;
        c->step[u] = c->first_row;
        cycles_of(r, c, u)[CAUSE_LAUNCH] = r->overhead;
    }
    for (int q = 0; q < QUEUES; q++) c->queue_done[q] = first;
}

/* 0 where the barriers of the trace do not fit together. */
int zhisuan_replay(Replay *r) {
    i64 now = 0;
    for (r->launch = 0; r->launch < r->launches; r->launch++) {
        const i64 first = now + r->overhead, stretch = r->launch_stretch[r->launch];
        const i64 count = r->launch_stretch[r->launch + 1] - stretch;
        i64 over = first;
        if (r->dram) r->dram->events = r->events + r->launch * EVENTS;
        for (i64 i = 0; i < r->resources; i++) r->resource_free[i] = first;
        for (i64 n = 0; n < count; n++) start(r, r->walkers + n, n, stretch + n, first);
        run_together(r, r->walkers, count);
        for (i64 n = 0; n < count; n++) over = later(over, over_of(r->walkers + n));
        for (i64 p = 0; p < r->places; p++) {
            const Walker absent = {.place = p};
            for (int u = 0; u < UNITS; u++) cycles_of(r, &absent, u)[CAUSE_IDLE] += over - now;
        }
        for (i64 n = 0; n < count; n++) {
            const Walker *c = r->walkers + n;
            if (c->row < c->end_row) return 0;
            for (int u = 0; u < UNITS; u++) cycles_of(r, c, u)[CAUSE_IDLE] -= over - now;
            account_for_the_end(r, c, now, over);
        }
        r->launch_start[r->launch] = now;
        now = r->launch_end[r->launch] = over;
    }
    return 1;
}
