/* Transfers whose DRAM address is a constant; see isa/constant_address.py for their meaning. */
#include "core.h"

static int copy(Core *core, u32 reads, u32 writes, u64 dst, u64 src, u64 n, u64 width) {
    const u8 *from = reach(core, reads, src, n, width, 1);
    u8 *to = from ? reach(core, writes, dst, n, width, 1) : 0;
    if (!to) return 0;
    memmove(to, from, n * width);
    return 1;
}

#define LOAD(ROW, MODE, WIDTH)                                                               \
    case OP_##ROW##_IMM_##MODE:                                                              \
        if (IS_SPACE(WRITES_##ROW##_IMM, SPACE_wram)) core->wram_version++;                  \
        return copy(core, READS_##ROW##_IMM, WRITES_##ROW##_IMM, (u64)a[ROW##_IMM_dst],      \
                    GDRAM_BASE + (u64)a[ROW##_IMM_addr], (u64)a[ROW##_IMM_n], WIDTH);
#define STORE(ROW, MODE, WIDTH)                                                              \
    case OP_##ROW##_IMM_##MODE:                                                              \
        return copy(core, READS_##ROW##_IMM, WRITES_##ROW##_IMM,                             \
                    GDRAM_BASE + (u64)a[ROW##_IMM_addr], (u64)a[ROW##_IMM_src],              \
                    (u64)a[ROW##_IMM_n], WIDTH);
#define EVERY_MODE(X, ROW) X(ROW, f16, 2) X(ROW, f32, 4) X(ROW, i8, 1) X(ROW, i16, 2) X(ROW, i32, 4)

int run_constant_address(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        EVERY_MODE(LOAD, VLOAD) EVERY_MODE(LOAD, MLOAD)
        EVERY_MODE(STORE, VSTORE) EVERY_MODE(STORE, MSTORE)
    }
    return run_atomic(core, handler, a);
}
