/* The walk through time; sim/walk.py is the definition and explains it. */
#include "core.h"

enum { QUEUES = 3, UNITS = 5 };

/* One launch in progress. */
typedef struct {
    const Replay *r;
    i64 *cycles;                /* [UNITS][CAUSES] */
    i64 now;                    /* the decoder's time */
    i64 first_row, step_count;  /* decoder steps so far; step i is row first_row + i */
    i64 sync, full;             /* cycles the decoder has waited */
    i64 issued[QUEUES], queue_done[QUEUES];
    i64 first, free[UNITS], unit_done[UNITS], step[UNITS];
    i64 unfinished;             /* entries of r->window_rows */
} Launch;

INLINE i64 later(i64 a, i64 b) { return a > b ? a : b; }
INLINE int queue_of(int unit) { return unit == UNIT_IO ? 1 : unit == UNIT_MOVE ? 2 : 0; }

static void advance(Launch *l, i64 busy, i64 until, int is_sync) {
    const Replay *r = l->r;
    const i64 row = l->first_row + l->step_count++;
    const i64 busy_until = l->now + busy;
    l->now = later(busy_until, until);
    r->busy_until[row] = busy_until;
    r->decoded[row] = l->now;
    r->sync_before[row] = l->sync;
    r->full_before[row] = l->full;
    *(is_sync ? &l->sync : &l->full) += l->now - busy_until;
}

/* Cycles the decoder had waited at `moment` (later than the last asked for this unit). */
static void waited_until(Launch *l, i64 moment, int unit, i64 *sync, i64 *full) {
    const Replay *r = l->r;
    i64 step = l->step[unit];
    while (step < l->step_count && r->decoded[l->first_row + step] <= moment) step++;
    l->step[unit] = step;
    *sync = l->sync;
    *full = l->full;
    if (step == l->step_count) return;
    const i64 row = l->first_row + step, waited = later(0, moment - r->busy_until[row]);
    const int is_sync = r->kind[row] == SCALAR_KIND || r->kind[row] == SYNC_KIND;
    *sync = r->sync_before[row] + (is_sync ? waited : 0);
    *full = r->full_before[row] + (is_sync ? 0 : waited);
}

static void decode_only(Launch *l, i64 row) {
    const Replay *r = l->r;
    i64 released = 0;
    for (int q = 0; q < QUEUES; q++)
        if (r->mask[row] >> q & 1) released = later(released, l->queue_done[q]);
    r->start[row] = l->now;
    advance(l, r->decode[row], released, 1);
    r->end[row] = r->done[row] = l->now;
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

static void interlock(Launch *l, i64 row, i64 ready, i64 *released, i64 *room) {
    const Replay *r = l->r;
    i64 kept = 0, soonest = 0;
    for (i64 i = 0; i < l->unfinished; i++) {
        const i64 other = r->window_rows[i];
        if (r->done[other] <= ready) continue;
        r->window_rows[kept++] = other;
        if (conflict(r, row, other)) *released = later(*released, r->done[other]);
        if (kept == 1 || r->done[other] < soonest) soonest = r->done[other];
    }
    l->unfinished = kept;
    if (kept >= r->window) *room = soonest;
}

static void account_gap(Launch *l, int unit, i64 queued, const i64 *until, const int *cause) {
    i64 *cycles = l->cycles + unit * CAUSES, at = l->free[unit];
    if (queued > at) {
        i64 sync, full;
        waited_until(l, at, unit, &sync, &full);
        cycles[CAUSE_SYNC] += l->sync - sync;
        cycles[CAUSE_FULL] += l->full - full;
        cycles[CAUSE_DECODE] += queued - at - (l->sync - sync) - (l->full - full);
        at = queued;
    }
    for (int i = 0; i < 3; i++) {
        cycles[cause[i]] += later(0, until[i] - at);
        at = later(at, until[i]);
    }
}

static void issue(Launch *l, i64 row) {
    const Replay *r = l->r;
    const int unit = r->kind[row], q = queue_of(unit);
    const i64 *starts = r->starts + q * r->rows, count = l->issued[q];
    advance(l, r->decode[row], count >= r->depth[q] ? starts[count - r->depth[q]] : l->first, 0);
    const i64 queued = l->now, in_order = count ? starts[count - 1] : l->first;
    const i64 ready = later(later(l->free[unit], queued), in_order);
    i64 released = 0, room = 0;
    if (q == 0) interlock(l, row, ready, &released, &room);
    const i64 start = later(ready, later(released, room));
    const i64 until[] = {in_order, released, room};
    const int cause[] = {CAUSE_IN_ORDER, CAUSE_OPERANDS, CAUSE_WINDOW};
    account_gap(l, unit, queued, until, cause);
    const i64 end = start + r->occupancy[row], done = end + r->latency[row];
    l->cycles[unit * CAUSES + CAUSE_BUSY] += end - start;
    r->queued[row] = queued;
    r->start[row] = start;
    r->end[row] = end;
    r->done[row] = done;
    r->starts[q * r->rows + l->issued[q]++] = start;
    l->queue_done[q] = later(l->queue_done[q], done);
    l->free[unit] = end;
    l->unit_done[unit] = later(l->unit_done[unit], done);
    if (q == 0) r->window_rows[l->unfinished++] = row;
}

static i64 finish(Launch *l, i64 begin) {
    i64 over = l->now, rest = 0;
    for (int u = 1; u < UNITS; u++) over = later(over, l->unit_done[u]);
    for (int u = 1; u < UNITS; u++) {
        l->cycles[u * CAUSES + CAUSE_DRAIN] += l->unit_done[u] - l->free[u];
        l->cycles[u * CAUSES + CAUSE_IDLE] += over - l->unit_done[u];
    }
    l->cycles[CAUSE_SYNC] = l->sync;
    l->cycles[CAUSE_FULL] = l->full;
    l->cycles[CAUSE_DRAIN] = over - l->now;
    for (int cause = 0; cause < CAUSES; cause++) rest += l->cycles[cause];
    l->cycles[CAUSE_BUSY] = over - begin - rest;
    return over;
}

void zhisuan_replay(const Replay *r) {
    i64 now = 0;
    for (i64 n = 0; n < r->launches; n++) {
        const i64 first = now + r->overhead;
        Launch l = {.r = r, .cycles = r->cycles + n * UNITS * CAUSES, .now = first, .first = first,
                    .first_row = r->first_rows[n]};
        for (int u = 0; u < UNITS; u++) {
            l.free[u] = l.unit_done[u] = first;
            l.cycles[u * CAUSES + CAUSE_LAUNCH] = r->overhead;
        }
        for (int q = 0; q < QUEUES; q++) l.queue_done[q] = first;
        r->launch_start[n] = now;
        for (i64 row = r->first_rows[n]; row < r->first_rows[n + 1]; row++) {
            if (r->kind[row] == SCALAR_KIND || r->kind[row] == SYNC_KIND) decode_only(&l, row);
            else issue(&l, row);
        }
        now = r->launch_end[n] = finish(&l, now);
    }
}
