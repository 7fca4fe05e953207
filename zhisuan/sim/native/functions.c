/* Functions of one element, two operations in one pass, cyclic comparison, bits; see
 * isa/functions.py, isa/fusion.py, isa/cyclic.py and isa/bits.py for their meaning. */
#include "elementary.h"
#include "cyclic.h"

/* ---- Two operations ---- */

#define ROUND_f16(v) from_half(to_half(v))
#define ROUND_f32(v) (v)
enum { C = VFUSE_c, C_OF_S = VFUSES_c };

/* Three vectors; with a register in the place of the second, y is x. */
static int fused_operands(Core *core, const i64 *a, int third, int pair, u64 width, Operands *o,
                          const u8 **z) {
    o->n = (u64)a[N];
    const u64 size = o->n * width;
    const u8 *x = range(core, READS_VFUSE, (u64)a[A], o->n, width, width);
    const u8 *y = !x ? 0 : pair ? range(core, READS_VFUSE, (u64)a[B], o->n, width, width) : x;
    *z = y ? range(core, READS_VFUSE, (u64)a[third], o->n, width, width) : 0;
    o->dst = *z ? range(core, WRITES_VFUSE, (u64)a[DST], o->n, width, width) : 0;
    if (!o->dst) return 0;
    o->a = unwritten(core, x, size, o->dst, size, 1);
    o->b = unwritten(core, y, size, o->dst, size, 1);
    *z = unwritten(core, *z, size, o->dst, size, 1);
    return 1;
}

#define FUSE_MODE(NAMES, MODE, FIRST, SECOND)                                                \
    case OP_VFUSE_##NAMES##_##MODE: {                                                        \
        Operands o;                                                                          \
        const u8 *z;                                                                         \
        if (!fused_operands(core, a, C, 1, BYTES_##MODE, &o, &z)) return 0;                  \
        FOR_EACH(i, o.n)                                                                     \
            PUT_##MODE(o.dst, i, ROUND_##MODE(GET_##MODE(o.a, i) FIRST GET_##MODE(o.b, i))   \
                                     SECOND GET_##MODE(z, i));                               \
        return 1;                                                                            \
    }                                                                                        \
    case OP_VFUSES_##NAMES##_##MODE: {                                                       \
        Operands o;                                                                          \
        const u8 *z;                                                                         \
        const float s = REGISTER_##MODE(a[S]);                                               \
        if (!fused_operands(core, a, C_OF_S, 0, BYTES_##MODE, &o, &z)) return 0;             \
        FOR_EACH(i, o.n)                                                                     \
            PUT_##MODE(o.dst, i, ROUND_##MODE(GET_##MODE(o.a, i) FIRST s)                    \
                                     SECOND GET_##MODE(z, i));                               \
        return 1;                                                                            \
    }
#define FUSE(NAMES, FIRST, SECOND) \
    FUSE_MODE(NAMES, f16, FIRST, SECOND) FUSE_MODE(NAMES, f32, FIRST, SECOND)

/* ---- Bits ---- */

#define WHOLE_SCALAR(ROW, EXPRESSION)                                                        \
    SCALAR_MODE(i8, ROW, EXPRESSION) SCALAR_MODE(i16, ROW, EXPRESSION) SCALAR_MODE(i32, ROW, EXPRESSION)
#define BITS_OF(MODE) (8 * BYTES_##MODE - 1)
#define SHIFT_MODE(MODE, ROW, SIGN) \
    ELEMENTWISE(MODE, ROW, 0, const int s = (int)(a[S] & BITS_OF(MODE));, x SIGN s)
#define REMAINDER(MODE)                                                                      \
    case OP_VREM_##MODE: {                                                                   \
        Operands o;                                                                          \
        if (!operands(core, a, 1, BYTES_##MODE, BYTES_##MODE, &o)) return 0;                 \
        for (u64 i = 0; i < o.n; i++) {                                                      \
            const i64 x = GET_##MODE(o.a, i), y = GET_##MODE(o.b, i);                        \
            PUT_##MODE(o.dst, i, y ? x % y : x);                                             \
        }                                                                                    \
        return 1;                                                                            \
    }
#define MULTIPLY_HIGH(MODE, WIDE) \
    ELEMENTWISE(MODE, VMULH, 1, , (WIDE)x * (WIDE)y >> 32)

#define TO_BITS(MODE)                                                                        \
    case OP_VTOBITS_##MODE: {                                                                \
        const u64 n = (u64)a[N], size = n / 8 + (n % 8 != 0);                                \
        const u8 *x = range(core, READS_VTOBITS, (u64)a[VTOBITS_a], n, BYTES_##MODE, BYTES_##MODE); \
        u8 *dst = x ? range(core, WRITES_VTOBITS, (u64)a[DST], size, 1, 1) : 0;              \
        if (!dst) return 0;                                                                  \
        x = unwritten(core, x, n * BYTES_##MODE, dst, size, 0);                              \
        for (u64 k = 0; k < size; k++) {                                                     \
            u8 byte = 0;                                                                     \
            for (u64 i = 8 * k; i < n && i < 8 * k + 8; i++)                                 \
                byte |= (u8)((GET_##MODE(x, i) != 0) << i % 8);                              \
            dst[k] = byte;                                                                   \
        }                                                                                    \
        return 1;                                                                            \
    }
#define OF_BITS(MODE)                                                                        \
    case OP_VOFBITS_##MODE: {                                                                \
        const u64 n = (u64)a[N], size = n / 8 + (n % 8 != 0);                                \
        const u8 *x = range(core, READS_VOFBITS, (u64)a[VOFBITS_a], size, 1, 1);             \
        u8 *dst = x ? range(core, WRITES_VOFBITS, (u64)a[DST], n, BYTES_##MODE, BYTES_##MODE) : 0; \
        if (!dst) return 0;                                                                  \
        x = unwritten(core, x, size, dst, n * BYTES_##MODE, 0);                              \
        for (u64 i = 0; i < n; i++) PUT_##MODE(dst, i, (float)(x[i / 8] >> i % 8 & 1));      \
        return 1;                                                                            \
    }
#define PLACE(MODE, ROW, BACKWARDS)                                                          \
    case OP_##ROW##_##MODE: {                                                                \
        const u64 n = (u64)a[N];                                                             \
        const u8 *x = range(core, READS_##ROW, (u64)a[VFIRST_a], n, BYTES_##MODE, BYTES_##MODE); \
        u32 *dst = x ? (u32 *)range(core, WRITES_##ROW, (u64)a[DST], 1, 4, 4) : 0;           \
        if (!dst) return 0;                                                                  \
        u32 found = 0xFFFFFFFFu;                                                             \
        for (u64 k = 0; k < n && found == 0xFFFFFFFFu; k++) {                                \
            const u64 i = BACKWARDS ? n - 1 - k : k;                                         \
            if (GET_##MODE(x, i) != 0) found = (u32)i;                                       \
        }                                                                                    \
        *dst = found;                                                                        \
        return 1;                                                                            \
    }

#define INDEX_f16(i) from_half(to_half((float)(i)))
#define INDEX_f32(i) ((float)(i))
#define INDEX_i16(i) ((i32)(i))
#define INDEX_i32(i) ((u32)(i))
#define ROUND_i16(v) (v)
#define ROUND_i32(v) (v)
#define WORD_f16 float
#define WORD_f32 float
#define WORD_i16 i32
#define WORD_i32 u32
#define SEQUENCE(MODE)                                                                       \
    case OP_VSEQ_##MODE: {                                                                   \
        const u64 n = (u64)a[N];                                                             \
        if (n > NRAM_WINDOW) return 0;                                                       \
        u8 *dst = range(core, WRITES_VSEQ, (u64)a[DST], n, BYTES_##MODE, BYTES_##MODE);      \
        if (!dst) return 0;                                                                  \
        const WORD_##MODE s = (WORD_##MODE)REGISTER_##MODE(a[VSEQ_s]);                       \
        const WORD_##MODE step = (WORD_##MODE)REGISTER_##MODE(a[VSEQ_value]);                \
        FOR_EACH(i, n) PUT_##MODE(dst, i, s + ROUND_##MODE(INDEX_##MODE(i) * step));         \
        return 1;                                                                            \
    }

/* ---- Sums of 128 bytes ---- */

#define GROUP_SUM(MODE)                                                                      \
    case OP_VGSUM_##MODE: {                                                                  \
        Operands o;                                                                          \
        if (!operands(core, a, 0, BYTES_##MODE, BYTES_##MODE, &o)) return 0;                 \
        const u64 group = GROUP_BYTES / BYTES_##MODE;                                        \
        for (u64 at = 0; at < o.n; at += group) {                                            \
            const u64 end = o.n - at < group ? o.n : at + group;                             \
            float sum = 0.0f;                                                                \
            for (u64 i = at; i < end; i++) sum += GET_##MODE(o.a, i);                        \
            PUT_##MODE(o.dst, at, sum);                                                      \
            for (u64 i = at + 1; i < end; i++) PUT_##MODE(o.dst, i, 0.0f);                   \
        }                                                                                    \
        return 1;                                                                            \
    }

#define FLOAT_CYCLIC(ROW, EXPRESSION) FLOAT_MODES(CYCLIC_MODE, ROW, EXPRESSION)
#define KEEPING_NAN(CHOICE) (y != y ? y : x != x ? x : (CHOICE))

int run_functions(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        FLOAT_SINGLE(VGELU, gelu_f32(x))
        FLOAT_SINGLE(VSIN, x == 0 ? x : quadrant_f32(x, 0))
        FLOAT_SINGLE(VCOS, quadrant_f32(x, 1))
        FLOAT_SINGLE(VEXP2, exp2_f32(x))
        FLOAT_SINGLE(VLOG2, log2_f32(x))
        FLOAT_SINGLE(VSIGN, x > 0 ? 1.0f : x < 0 ? -1.0f : x)
        FUSE(ma, *, +) FUSE(ms, *, -) FUSE(am, +, *) FUSE(sm, -, *)
        FUSE(aa, +, +) FUSE(as, +, -) FUSE(sa, -, +) FUSE(ss, -, -)
        FLOAT_PAIR(VNMAX, KEEPING_NAN(x > y ? x : y))
        FLOAT_PAIR(VNMIN, KEEPING_NAN(x < y ? x : y))
        FLOAT_CYCLIC(VCGT, x > y)
        FLOAT_CYCLIC(VCGE, x >= y)
        FLOAT_CYCLIC(VCLT, x < y)
        FLOAT_CYCLIC(VCLE, x <= y)
        FLOAT_CYCLIC(VCE, x == y)
        FLOAT_CYCLIC(VCNE, x != y)
        FLOAT_CYCLIC(VCAND, (x != 0) & (y != 0))
        FLOAT_CYCLIC(VCOR, (x != 0) | (y != 0))
        FLOAT_CYCLIC(VCXOR, (x != 0) ^ (y != 0))
        FLOAT_CYCLIC(VCGTM, x > y || y != y ? x : y)
        FLOAT_CYCLIC(VCLTM, x < y || y != y ? x : y)
        CYCLIC_CASE(i8, OP_VCB_and_i8, VCB, x & y)
        CYCLIC_CASE(i8, OP_VCB_or_i8, VCB, x | y)
        CYCLIC_CASE(i8, OP_VCB_xor_i8, VCB, x ^ y)
        WHOLE_SCALAR(VBANDS, x & s)
        WHOLE_SCALAR(VBORS, x | s)
        WHOLE_SCALAR(VBXORS, x ^ s)
        SHIFT_MODE(i16, VSHLS, <<) SHIFT_MODE(i32, VSHLS, <<)
        SHIFT_MODE(i16, VSHRS, >>) SHIFT_MODE(i32, VSHRS, >>)
        SHIFT_MODE(u16, VSHRS, >>) SHIFT_MODE(u32, VSHRS, >>)
        REMAINDER(i16) REMAINDER(i32) REMAINDER(u16) REMAINDER(u32)
        MULTIPLY_HIGH(i32, i64) MULTIPLY_HIGH(u32, u64)
        TO_BITS(f16) TO_BITS(f32) OF_BITS(f16) OF_BITS(f32)
        PLACE(f16, VFIRST, 0) PLACE(f32, VFIRST, 0) PLACE(f16, VLAST, 1) PLACE(f32, VLAST, 1)
        SEQUENCE(i16) SEQUENCE(i32) SEQUENCE(f32) SEQUENCE(f16)
        GROUP_SUM(f16) GROUP_SUM(f32)
    }
    return 0;
}
