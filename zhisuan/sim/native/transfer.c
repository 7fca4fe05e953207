/* Transfers between memories; see isa/transfer.py for their meaning. */
#include "core.h"

static int copy(Core *core, u32 reads, u32 writes, u64 dst, u64 src, u64 size) {
    const u8 *from = reach(core, reads, src, size, 1, 1);
    u8 *to = from ? reach(core, writes, dst, size, 1, 1) : 0;
    if (!to) return 0;
    memmove(to, from, size);
    return 1;
}

/* The same bytes to all compute cores of the cluster. */
static int cast(Core *core, u32 reads, u32 writes, u64 dst, u64 src, u64 size) {
    const u8 *from = reach(core, reads, src, size, 1, 1);
    if (!from) return 0;
    for (i64 i = 0; i < core->core_count; i++) {
        Core *other = core->cores[i];
        u8 *to = reach(other, writes, dst, size, 1, 1);
        if (!to) return 0;
        if (IS_SPACE(writes, SPACE_wram)) other->wram_version++;
        memmove(to, from, size);
    }
    return 1;
}

static int send(Core *core, const i64 *a) {
    const u64 size = a[CDMA_size];
    const u8 *from = reach(core, READS_CDMA, a[CDMA_src], size, 1, 1);
    if (!from || (u64)a[CDMA_cluster] >= (u64)core->cluster_count) return 0;
    u8 *to = reach(core->clusters[a[CDMA_cluster]], WRITES_CDMA, a[CDMA_dst], size, 1, 1);
    if (!to) return 0;
    memmove(to, from, size);
    return 1;
}

typedef int Put(Core *core, u32 reads, u32 writes, u64 dst, u64 src, u64 size);

INLINE int copy3(Core *core, u32 reads, u32 writes, const i64 *a, Put *put) {
    u64 size = a[VLOAD3_size], n = a[VLOAD3_n], n1 = a[VLOAD3_n1];
    if (!size || !n || !n1) return 1;
    if ((unsigned __int128)n * n1 > MOST_SEGMENTS) return 0;
    for (u64 j = 0; j < n1; j++) {
        u64 dst = a[VLOAD3_dst] + j * (i64)low_half(a[VLOAD3_outer]);
        u64 src = a[VLOAD3_src] + j * (i64)high_half(a[VLOAD3_outer]);
        for (u64 i = 0; i < n; i++) {
            if (!put(core, reads, writes, dst, src, size)) return 0;
            dst += a[VLOAD3_dst_stride];
            src += a[VLOAD3_src_stride];
        }
    }
    return 1;
}

#define TRANSFER(ROW, PUT)                                                                      \
    case OP_##ROW:                                                                              \
        if (IS_SPACE(WRITES_##ROW, SPACE_wram)) core->wram_version++;                           \
        return PUT(core, READS_##ROW, WRITES_##ROW, a[ROW##_dst], a[ROW##_src], a[ROW##_size]); \
    case OP_##ROW##3:                                                                           \
        if (IS_SPACE(WRITES_##ROW, SPACE_wram)) core->wram_version++;                           \
        return copy3(core, READS_##ROW##3, WRITES_##ROW##3, a, PUT);

int run_transfer(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        TRANSFER(VLOAD, copy) TRANSFER(VSTORE, copy) TRANSFER(MLOAD, copy) TRANSFER(MSTORE, copy)
        TRANSFER(DMOVE, copy) TRANSFER(VMOVE, copy) TRANSFER(MMOVE, copy)
        TRANSFER(GLOAD, copy) TRANSFER(GSTORE, copy) TRANSFER(VREAD, copy) TRANSFER(VWRITE, copy)
        TRANSFER(MREAD, copy) TRANSFER(MWRITE, copy) TRANSFER(VCAST, cast) TRANSFER(MCAST, cast)
        case OP_CDMA: return send(core, a);
    }
    return run_constant_address(core, handler, a);
}
