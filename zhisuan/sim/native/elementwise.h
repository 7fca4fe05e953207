/* Element-wise vector instructions: their types, operands and loops.
 *
 * Float operations work on FP32 values; FP16 results are rounded once at the end, which is
 * correct rounding in FP16 (floats.h).  Results that are NaN are made canonical.  Integers
 * wrap at their width.
 */
#pragma once
#include "floats.h"

/* Loops whose iterations touch element i of every operand: nothing is carried between them. */
#define FOR_EACH(i, n) \
    _Pragma("clang loop vectorize(assume_safety) vectorize_width(16) interleave_count(1)") for (u64 i = 0; i < (n); i++)

/* By element type: what it is computed in, its bytes, element i of an array as read and written,
 * and the low bits of a register. */
#define TYPE_f16 float
#define TYPE_f32 float
#define TYPE_i4 i8
#define TYPE_i8 i8
#define TYPE_i16 i16
#define TYPE_i32 i32
#define TYPE_u16 u16
#define TYPE_u32 u32
#define BYTES_f16 2
#define BYTES_f32 4
#define BYTES_i4 0 /* two in a byte: loops see them unpacked, see loop_bytes */
#define BYTES_i8 1
#define BYTES_i16 2
#define BYTES_i32 4
#define BYTES_u16 2
#define BYTES_u32 4
#define GET_f16(p, i) from_half(((const u16 *)(p))[i])
#define GET_f32(p, i) (((const float *)(p))[i])
#define GET_i4 GET_i8
#define GET_i8(p, i) (((const i8 *)(p))[i])
#define GET_i16(p, i) (((const i16 *)(p))[i])
#define GET_i32(p, i) (((const i32 *)(p))[i])
#define GET_u16(p, i) (((const u16 *)(p))[i])
#define GET_u32(p, i) (((const u32 *)(p))[i])
#define PUT_f16(p, i, v) (((u16 *)(p))[i] = result_f16(v))
#define PUT_f32(p, i, v) (((u32 *)(p))[i] = result_f32(v))
#define PUT_i8(p, i, v) (((i8 *)(p))[i] = (i8)(v))
#define PUT_i16(p, i, v) (((i16 *)(p))[i] = (i16)(v))
#define PUT_i32(p, i, v) (((i32 *)(p))[i] = (i32)(v))
#define PUT_u16(p, i, v) (((u16 *)(p))[i] = (u16)(v))
#define PUT_u32(p, i, v) (((u32 *)(p))[i] = (u32)(v))
#define REGISTER_f16(v) from_half((u16)(v))
#define REGISTER_f32(v) float_of((u32)(v))
#define REGISTER_i8(v) ((i8)(v))
#define REGISTER_i16(v) ((i16)(v))
#define REGISTER_i32(v) ((i32)(v))
#define REGISTER_u16(v) ((u16)(v))
#define REGISTER_u32(v) ((u32)(v))

#define FLOAT_MODES(X, ...) X(f16, __VA_ARGS__) X(f32, __VA_ARGS__)
#define MODES(X, ...) \
    FLOAT_MODES(X, __VA_ARGS__) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) X(i32, __VA_ARGS__)

/* Two or one vector operands: dst n a b, dst n a s, dst n a. */
enum { DST = VAV_dst, N = VAV_n, A = VAV_a, B = VAV_b, S = VAS_s };

typedef struct {
    u8 *dst;
    const u8 *a, *b;
    u64 n;
} Operands;

/* ---- Vectors, and those of 4-bit integers, whose width is 0 ---- */

INLINE u64 vector_bytes(u64 n, u64 width) { return width ? n * width : n / 2 + n % 2; }
INLINE u64 loop_bytes(u64 width) { return width ? width : 1; }

__attribute__((unused)) static u8 *vector(const Core *core, u32 spaces, u64 address, u64 n, u64 width) {
    return width ? range(core, spaces, address, n, width, width)
                 : range(core, spaces, address, vector_bytes(n, 0), 1, 1);
}

/* A source as loops read it; of a 4-bit one every number gets a byte, in core->neurons. */
__attribute__((unused)) static const u8 *
loop_source(const Core *core, const u8 *x, u64 n, u64 width) {
    if (width) return x;
    i8 *to = (i8 *)core->neurons;
    for (u64 i = 0; i < n / 2; i++) {
        to[2 * i] = (i8)((i8)(x[i] << 4) >> 4);
        to[2 * i + 1] = (i8)((i8)x[i] >> 4);
    }
    if (n % 2) to[n - 1] = (i8)((i8)(x[n / 2] << 4) >> 4);
    return (const u8 *)to;
}

/* Where loops write a destination, and what brings it to its place. */
INLINE u8 *loop_destination(const Core *core, u8 *dst, u64 width) {
    return width ? dst : (u8 *)core->neurons;
}
__attribute__((unused)) static void finish_loop(const Core *core, u8 *dst, u64 n, u64 width) {
    const u8 *from = (const u8 *)core->neurons;
    if (width) return;
    for (u64 i = 0; i < n / 2; i++)
        dst[i] = (u8)((from[2 * i] & 15) | from[2 * i + 1] << 4);
    if (n % 2) dst[n / 2] = from[n - 1] & 15;
}

/* Translate and check in the order of the meaning: sources, then destination. */
__attribute__((unused)) static int
operands(Core *core, const i64 *a, int pair, u64 source, u64 destination, Operands *o) {
    o->n = (u64)a[N];
    const u8 *x = vector(core, READS_VAV, (u64)a[A], o->n, source);
    const u8 *y = !x ? 0 : pair ? vector(core, READS_VAV, (u64)a[B], o->n, source) : x;
    o->dst = !y ? 0 : vector(core, WRITES_VAV, (u64)a[DST], o->n, destination);
    if (!o->dst) return 0;
    const u64 read = vector_bytes(o->n, source), written = vector_bytes(o->n, destination);
    o->a = unwritten(core, x, read, o->dst, written, source == destination);
    o->b = unwritten(core, y, read, o->dst, written, source == destination);
    return 1;
}

#define ELEMENTWISE(MODE, ROW, PAIR, SETUP, EXPRESSION)                                      \
    case OP_##ROW##_##MODE: {                                                                \
        Operands o;                                                                          \
        if (!operands(core, a, PAIR, BYTES_##MODE, BYTES_##MODE, &o)) return 0;              \
        SETUP                                                                                \
        FOR_EACH(i, o.n) {                                                                   \
            TYPE_##MODE x = GET_##MODE(o.a, i);                                              \
            TYPE_##MODE y = PAIR ? GET_##MODE(o.b, i) : x;                                   \
            (void)y;                                                                         \
            PUT_##MODE(o.dst, i, (EXPRESSION));                                              \
        }                                                                                    \
        return 1;                                                                            \
    }
#define PAIR_MODE(MODE, ROW, EXPRESSION) ELEMENTWISE(MODE, ROW, 1, , EXPRESSION)
#define SINGLE_MODE(MODE, ROW, EXPRESSION) ELEMENTWISE(MODE, ROW, 0, , EXPRESSION)
#define SCALAR_MODE(MODE, ROW, EXPRESSION) \
    ELEMENTWISE(MODE, ROW, 0, TYPE_##MODE s = REGISTER_##MODE(a[S]);, EXPRESSION)
#define CONSTANT_MODE(MODE, ROW, EXPRESSION) \
    ELEMENTWISE(MODE, ROW, 0, float s = from_half((u16)a[S]);, EXPRESSION)
#define PAIR(ROW, EXPRESSION) MODES(PAIR_MODE, ROW, EXPRESSION)
#define SINGLE(ROW, EXPRESSION) MODES(SINGLE_MODE, ROW, EXPRESSION)
#define SCALAR(ROW, EXPRESSION) MODES(SCALAR_MODE, ROW, EXPRESSION)
#define WITH_CONSTANT(ROW, EXPRESSION) \
    SCALAR(ROW, EXPRESSION) FLOAT_MODES(CONSTANT_MODE, ROW##_IMM, EXPRESSION)
#define FLOAT_PAIR(ROW, EXPRESSION) FLOAT_MODES(PAIR_MODE, ROW, EXPRESSION)
#define FLOAT_SINGLE(ROW, EXPRESSION) FLOAT_MODES(SINGLE_MODE, ROW, EXPRESSION)

/* A whole number near v, |v| < 2^51, in one of the ways of isa/rounding.py. */
enum { WAY_rn, WAY_tz, WAY_up, WAY_dn, WAY_rd, WAY_oz };
INLINE double nearest(double v) { return (v + 6755399441055744.0) - 6755399441055744.0; }
INLINE double downward(double v) { double n = nearest(v); return n > v ? n - 1.0 : n; }
INLINE double upward(double v) { double n = nearest(v); return n < v ? n + 1.0 : n; }
INLINE double whole(double v, int way) {
    switch (way) {
        case WAY_tz: return v < 0 ? upward(v) : downward(v);
        case WAY_up: return upward(v);
        case WAY_dn: return downward(v);
        case WAY_rd: return v < 0 ? upward(v - 0.5) : downward(v + 0.5);
        case WAY_oz: return v < 0 ? downward(v) : upward(v);
        default: return nearest(v);
    }
}

/* A float as an integer from low to high. */
INLINE i32 to_integer(float x, double low, double high, int way) {
    double v = x != x ? 0.0 : (double)x;
    v = v < low ? low : v > high ? high : v;
    return (i32)whole(v, way);
}
#define LOWEST_i4 -8
#define LOWEST_i8 -128
#define LOWEST_u8 0
#define LOWEST_i16 -32768
#define LOWEST_i32 -2147483648.0
#define HIGHEST_i4 7
#define HIGHEST_i8 127
#define HIGHEST_u8 255
#define HIGHEST_i16 32767
#define HIGHEST_i32 2147483647.0
