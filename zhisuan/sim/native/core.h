/* What every part of the native core shares: the state of a run, and access to memory.
 *
 * generated.h comes from the instruction table: OP_<row>_<mode> handler numbers, <row>_<operand>
 * positions, READS_/WRITES_<row> memory masks, constants, and the structures Core, Decoded, Row.
 */
#pragma once

typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
typedef __int128 i128;

#include "generated.h"

/* The compiler's own: they become loads and stores where the size is known. */
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset

#define INLINE static inline __attribute__((always_inline))
#define IS_SPACE(mask, s) ((mask) >> (s) & 1)

/* The bytes [address, address + count * width) of a memory in `spaces`, or 0: a fault.  Python
 * finds out what is wrong with it by giving the instruction to the reference executor. */
INLINE u8 *reach(const Core *core, u32 spaces, u64 address, i128 count, u64 width, u64 align) {
    if (count == 0) return core->space_data[0];
    if (count < 0 || count > ((i128)1 << 41)) return 0;
    u64 size = (u64)count * width;
    if (address & (align - 1)) return 0;
    for (int s = 0; s < SPACES; s++) {
        u64 offset = address - core->space_base[s];
        if (offset < core->space_size[s])
            return IS_SPACE(spaces, s) && size <= core->space_size[s] - offset
                       ? core->space_data[s] + offset : 0;
    }
    return 0;
}

/* The same for tensor instructions, kept out of line: there are many of them. */
__attribute__((noinline, unused)) static u8 *
range(const Core *core, u32 spaces, u64 address, i128 count, u64 width, u64 align) {
    return reach(core, spaces, address, count, width, align);
}

/* A read operand of a tensor instruction that writes [dst, dst + dst_size): where the two
 * overlap, a copy of NRAM as it was before the instruction, since all is read before any
 * write.  `aligned`: element i of dst is written after element i of src is read, so the very
 * same range needs no copy. */
__attribute__((noinline, unused)) static const u8 *
unwritten(Core *core, const u8 *src, u64 size, const u8 *dst, u64 dst_size, int aligned) {
    if (!size || !dst_size || src + size <= dst || dst + dst_size <= src) return src;
    if (aligned && src == dst) return src;
    const u8 *nram = core->space_data[SPACE_nram];
    if (!core->nram_copied) memcpy(core->nram_copy, nram, core->space_size[SPACE_nram]);
    core->nram_copied = 1;
    return core->nram_copy + (src - nram);
}

INLINE i32 low_half(i64 packed) { return (i32)packed; }
INLINE i32 high_half(i64 packed) { return (i32)(packed >> 32); }
INLINE i64 quarter(i64 packed, int index) { return packed >> (16 * index) & 0xFFFF; }

INLINE i32 saturated(i64 sum) {
    return sum < -2147483647 - 1 ? -2147483647 - 1 : sum > 2147483647 ? 2147483647 : (i32)sum;
}

/* Let the DRAM serve a turn of a transfer; whether it was the last. */
int serve_turn(Dram *d, Progress *p, i64 row);

/* Each executes one queued instruction; `a` are its operand values in the row's order.  0: a
 * fault. */
int run_transfer(Core *core, u32 handler, const i64 *a);
int run_vector(Core *core, u32 handler, const i64 *a);
int run_matrix(Core *core, u32 handler, const i64 *a);

/* The classes of instructions of a unit beyond the first, each asking the next. */
int run_constant_address(Core *core, u32 handler, const i64 *a);
int run_atomic(Core *core, u32 handler, const i64 *a);
int run_logic(Core *core, u32 handler, const i64 *a);
int run_convert(Core *core, u32 handler, const i64 *a);
int run_reduction(Core *core, u32 handler, const i64 *a);
int run_functions(Core *core, u32 handler, const i64 *a);
int run_product(Core *core, u32 handler, const i64 *a);
