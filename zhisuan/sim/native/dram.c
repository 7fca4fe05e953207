/* DRAM as channels of banks of rows; sim/dram.py is the definition and explains it. */
#include "core.h"

INLINE i64 later(i64 a, i64 b) { return a > b ? a : b; }

static void turn_the_bus(Dram *d, i64 channel, i64 bursts, i64 write) {
    if (d->writing[channel] != write) {
        d->writing[channel] = write;
        d->written[channel] = 0;
        d->bus[channel] += write ? d->to_write : d->to_read;
        d->events[EVENT_TURN]++;
    }
    if (!write) return;
    const i64 batches = (d->written[channel] + bursts - 1) / d->batch;
    d->written[channel] += bursts - batches * d->batch;
    d->bus[channel] += batches * (d->to_read + d->to_write);
    d->events[EVENT_TURN] += 2 * batches;
}

static void visit(Dram *d, i64 channel, i64 row, i64 bursts, i64 write, i64 asked) {
    const i64 bank = channel * d->banks + row % d->banks;
    i64 begin = asked;
    if (d->open[bank] == row) {
        d->events[EVENT_ROW_HIT]++;
    } else {
        d->events[EVENT_ROW_MISS]++;
        if (d->open[bank] >= 0) begin = later(begin, d->may_close[bank]) + d->precharge;
        begin = later(begin, d->next_activate[channel]);
        d->next_activate[channel] = begin + d->interval;
        d->may_close[bank] = begin + d->active;
        d->open[bank] = row;
        begin += d->activate;
    }
    turn_the_bus(d, channel, bursts, write);
    d->bus[channel] = later(d->bus[channel], begin) + bursts * d->burst;
    d->may_close[bank] = later(d->may_close[bank], d->bus[channel] + (write ? d->recovery : 0));
}

static void move_on(Dram *d, i64 channel, i64 low, i64 high, i64 extra, i64 write, i64 asked) {
    if (d->turn_of[channel] != d->turns) {
        d->turn_of[channel] = d->turns;
        d->before[channel] = d->bus[channel];
    }
    while (low < high) {
        const i64 row = low / d->row, next = (row + 1) * d->row, end = high < next ? high : next;
        const i64 bursts = (end - 1) / d->access - low / d->access + 1 + extra;
        visit(d, channel, row, bursts, write, asked);
        low = end;
        extra = 0;
    }
    if (d->bus[channel] > d->end) {
        d->end = d->bus[channel];
        d->held = d->before[channel];
    }
}

static void move_bytes(Dram *d, i64 start, i64 size, i64 write, i64 asked) {
    const i64 last_byte = start + size - 1;
    const i64 first = start / d->interleave, last = last_byte / d->interleave;
    for (i64 piece = first; piece <= last && piece < first + d->channels; piece++) {
        const i64 final = last - (last - piece) % d->channels;
        const i64 low = piece / d->channels * d->interleave
                        + (piece == first ? start % d->interleave : 0);
        const i64 high = final / d->channels * d->interleave
                         + (final == last ? last_byte % d->interleave + 1 : d->interleave);
        i64 part = 0;
        if (write) {
            part = piece == first && start % d->access > 0;
            const int at_end = final == last && (last_byte + 1) % d->access > 0;
            const int alone = part && start / d->access == last_byte / d->access;
            part += at_end && !alone;
        }
        move_on(d, piece % d->channels, low, high, part, write, asked);
    }
}

/* Whether there is more to move; goes to the next block where one is done. */
static int more(const Dram *d, Progress *p, i64 end_block) {
    for (; p->block < end_block; p->block++, p->segment = 0)
        if (p->segment < d->block_n[p->block] * d->block_n1[p->block]) return 1;
    return 0;
}

int serve_turn(Dram *d, Progress *p, i64 row) {
    const i64 end_block = d->block_first[row + 1];
    i64 room = d->turn, segments = 0;
    d->turns++;
    d->end = d->held = 0;
    while (more(d, p, end_block) && room) {
        const i64 b = p->block, size = d->block_size[b], n = d->block_n[b];
        const i64 start = d->block_address[b] + p->segment / n * d->block_outer[b]
                          + p->segment % n * d->block_stride[b] + p->offset;
        i64 taken = size - p->offset;
        if (taken > room) {
            taken = (start + room) / d->interleave * d->interleave - start;
            if (taken <= 0) break;
        }
        move_bytes(d, start, taken, d->block_write[b], p->asked);
        room -= taken;
        p->offset += taken;
        if (p->offset < size) continue;
        p->offset = 0;
        p->segment++;
        segments++;
    }
    const i64 ready = p->ready;
    p->waited += later(0, d->held - ready);
    p->asked = ready;
    p->ready = later(d->end, ready + segments * d->segment);
    return !more(d, p, end_block);
}
