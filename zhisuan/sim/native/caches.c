/* What scalar code waits for off chip; sim/caches.py is the definition and explains it. */
#include "core.h"

/* Whether `line` is in its set, the most recently used first; afterwards it is.  -1 is no line. */
INLINE int look(i64 *lines, i64 sets, i64 ways, i64 line) {
    i64 *held = lines + line % sets * ways, i = 0;
    while (i < ways - 1 && held[i] != line) i++;
    const int found = held[i] == line;
    for (; i > 0; i--) held[i] = held[i - 1];
    held[0] = line;
    return found;
}

INLINE int count(i64 *counts, int hits, int found) {
    counts[hits + !found]++;
    return found;
}

static int misses_page(Caches *c, i64 *counts, i64 place, i64 address) {
    if (!c->tlb_entries) return 0;
    i64 *pages = c->pages + place * c->tlb_entries;
    return !count(counts, TLB_COUNT, look(pages, 1, c->tlb_entries, address / c->page));
}

static int misses_llc(Caches *c, i64 address) {
    return !c->llc_sets || !look(c->llc, c->llc_sets, c->llc_ways, address / c->llc_line);
}

static int brings(Caches *c, i64 *counts, i64 line) {
    const int missed = misses_llc(c, line * c->code_line);
    if (c->llc_sets) count(counts, LLC_COUNT, !missed);
    return missed;
}

static i64 fetch(Caches *c, i64 *counts, i64 i) {
    const i64 place = c->place[i], again = c->again[i];
    i64 *code = c->code + place * c->code_sets * c->code_ways;
    i64 waited = again * (c->llc_sets ? c->llc_latency : c->dram_latency);
    counts[FETCH_COUNT + 1] += again;
    for (i64 line = c->first[i] / c->code_line; line <= c->last[i] / c->code_line; line++) {
        if (line == c->current[place]) continue;
        c->current[place] = line;
        if (count(counts, FETCH_COUNT, look(code, c->code_sets, c->code_ways, line))) continue;
        waited += c->llc_latency;
        waited += c->walk * misses_page(c, counts, place, line * c->code_line);
        waited += c->dram_latency * brings(c, counts, line);
        for (i64 ahead = line + 1; ahead <= line + c->refill; ahead++)
            if (!look(code, c->code_sets, c->code_ways, ahead)) brings(c, counts, ahead);
    }
    return waited;
}

static void access_lines(Caches *c, i64 *counts, i64 i, i64 *stalls) {
    const i64 place = c->place[i];
    i64 missed = 0, walks = 0;
    for (i64 line = c->first[i] / c->llc_line; line <= c->last[i] / c->llc_line; line++) {
        walks += misses_page(c, counts, place, line * c->llc_line);
        missed += c->llc_sets && misses_llc(c, line * c->llc_line);
    }
    if (c->llc_sets) {
        counts[LLC_COUNT] += c->loads[i] + c->stores[i] - missed;
        counts[LLC_COUNT + 1] += missed;
    }
    stalls[STALL_CACHE * c->rows] += c->loads[i] * c->llc_latency;
    stalls[STALL_TLB * c->rows] += walks * c->walk;
    stalls[STALL_DRAM * c->rows] += c->loads[i] ? missed * c->dram_latency : 0;
}

void zhisuan_caches(Caches *c) {
    for (i64 i = 0; i < c->requests; i++) {
        i64 *counts = c->counts + c->launch[i] * CACHE_COUNTS, *stalls = c->stalls + c->row[i];
        if (c->kind[i] == FOOTPRINT_CODE)
            stalls[STALL_FETCH * c->rows] += fetch(c, counts, i);
        else
            access_lines(c, counts, i, stalls);
    }
}
