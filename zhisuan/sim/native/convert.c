/* Conversions between element types; see isa/convert.py for their meaning. */
#include "elementwise.h"

#define EACH(OPCODE, BYTES_FROM, BYTES_TO, STATEMENT)                                        \
    case OP_##OPCODE: {                                                                      \
        Operands o;                                                                          \
        if (!operands(core, a, 0, BYTES_FROM, BYTES_TO, &o)) return 0;                       \
        FOR_EACH(i, o.n) { STATEMENT; }                                                      \
        return 1;                                                                            \
    }
#define CONVERT(NAME, BYTES_FROM, BYTES_TO, STATEMENT) \
    EACH(VCVT_##NAME, BYTES_FROM, BYTES_TO, STATEMENT)
#define FROM_INTEGER(NAME)                                                                   \
    CONVERT(NAME##_f16, sizeof(NAME), 2, PUT_f16(o.dst, i, (float)((const NAME *)o.a)[i]))   \
    CONVERT(NAME##_f32, sizeof(NAME), 4, PUT_f32(o.dst, i, (float)((const NAME *)o.a)[i]))
#define TO_INTEGER(NAME, SUFFIX, WAY)                                                        \
    CONVERT(f16_##NAME##SUFFIX, 2, sizeof(NAME), ((NAME *)o.dst)[i] = (NAME)                 \
            to_integer(GET_f16(o.a, i), LOWEST_##NAME, HIGHEST_##NAME, WAY))                 \
    CONVERT(f32_##NAME##SUFFIX, 4, sizeof(NAME), ((NAME *)o.dst)[i] = (NAME)                 \
            to_integer(GET_f32(o.a, i), LOWEST_##NAME, HIGHEST_##NAME, WAY))
#define TO_INTEGERS(SUFFIX, WAY) \
    TO_INTEGER(i8, SUFFIX, WAY) TO_INTEGER(u8, SUFFIX, WAY) TO_INTEGER(i16, SUFFIX, WAY) \
    TO_INTEGER(i32, SUFFIX, WAY)
#define EVERY_WAY(WAY) \
    TO_INTEGERS(_##WAY, WAY_##WAY) \
    CONVERT(f32_f16_##WAY, 4, 2, ((u16 *)o.dst)[i] = directed_half(GET_f32(o.a, i), WAY_##WAY))

/* The nearest FP16 number, or its neighbour on the side asked for; magnitudes are ordered as
 * their bits are. */
INLINE u16 directed_half(float x, int way) {
    const u16 near = to_half(x), sign = near & 0x8000, bits = near & 0x7FFF;
    if (bits > 0x7C00) return 0x7E00;
    const float found = from_half(bits), wanted = __builtin_fabsf(x);
    const int in = found > wanted, out = found < wanted;
    int step = 0;
    if (way == WAY_tz || way == (sign ? WAY_up : WAY_dn)) step = -in;
    else if (way == WAY_oz || way == (sign ? WAY_dn : WAY_up)) step = out;
    else if (way == WAY_rd) step = out && wanted - found == from_half(bits + 1) - wanted;
    return sign | (u16)(bits + step);
}

/* From 2^23 on all numbers are whole; results have the sign of x. */
INLINE float whole_number(float x, int way) {
    const float magnitude = __builtin_fabsf(x);
    const int is_small = magnitude < 8388608.0f;
    const float found = (float)whole(is_small ? (double)x : 0.0, way);
    const u32 sign = bits_of(x) & 0x80000000u;
    return is_small ? float_of((bits_of(found) & 0x7FFFFFFF) | sign) : x;
}
#define ROUND_MODE(MODE, WAY)                                                                \
    case OP_VRND_##MODE##_##WAY: {                                                           \
        Operands o;                                                                          \
        if (!operands(core, a, 0, BYTES_##MODE, BYTES_##MODE, &o)) return 0;                 \
        FOR_EACH(i, o.n) PUT_##MODE(o.dst, i, whole_number(GET_##MODE(o.a, i), WAY_##WAY));  \
        return 1;                                                                            \
    }
#define ROUND(WAY) FLOAT_MODES(ROUND_MODE, WAY)

/* From or to 4-bit integers, through loops over bytes. */
#define CONVERT4(NAME, FROM, TO, STATEMENT)                                                  \
    case OP_VCVT4_##NAME: {                                                                  \
        Operands o;                                                                          \
        if (!operands(core, a, 0, BYTES_##FROM, BYTES_##TO, &o)) return 0;                   \
        const u8 *x = loop_source(core, o.a, o.n, BYTES_##FROM);                             \
        u8 *to = loop_destination(core, o.dst, BYTES_##TO);                                  \
        FOR_EACH(i, o.n) { STATEMENT; }                                                      \
        finish_loop(core, o.dst, o.n, BYTES_##TO);                                           \
        return 1;                                                                            \
    }
#define TO_NIBBLE(FROM, SUFFIX, WAY)                                                         \
    CONVERT4(FROM##_i4##SUFFIX, FROM, i4,                                                    \
             ((i8 *)to)[i] = (i8)to_integer(GET_##FROM(x, i), LOWEST_i4, HIGHEST_i4, WAY))
#define TO_NIBBLES(SUFFIX, WAY) TO_NIBBLE(f16, SUFFIX, WAY) TO_NIBBLE(f32, SUFFIX, WAY)
INLINE i8 clamped4(i8 x) { return x < LOWEST_i4 ? LOWEST_i4 : x > HIGHEST_i4 ? HIGHEST_i4 : x; }

#define REQUANTISE(FROM, TO)                                                                 \
    case OP_VREQ_##FROM##_##TO: {                                                            \
        Operands o;                                                                          \
        const i64 mul = (i32)a[VREQ_mul], bits = a[VREQ_bits];                               \
        if (bits < 0 || bits > 62) return 0;                                                 \
        if (!operands(core, a, 0, sizeof(FROM), BYTES_##TO, &o)) return 0;                   \
        TYPE_##TO *to = (TYPE_##TO *)loop_destination(core, o.dst, BYTES_##TO);              \
        const i64 half = (i64)1 << bits >> 1;                                                \
        FOR_EACH(i, o.n) {                                                                   \
            i64 v = (((const FROM *)o.a)[i] * mul + half) >> bits;                           \
            v = v < (i64)LOWEST_##TO ? (i64)LOWEST_##TO : v;                                 \
            to[i] = (TYPE_##TO)(v > (i64)HIGHEST_##TO ? (i64)HIGHEST_##TO : v);              \
        }                                                                                    \
        finish_loop(core, o.dst, o.n, BYTES_##TO);                                           \
        return 1;                                                                            \
    }

INLINE u16 brain_of(float x) {
    const u32 bits = bits_of(x);
    if (x != x) return 0x7FC0;
    return (u16)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

int run_convert(Core *core, u32 handler, const i64 *a) {
    switch (handler) {
        CONVERT(f16_f32, 2, 4, PUT_f32(o.dst, i, GET_f16(o.a, i)))
        CONVERT(f32_f16, 4, 2, PUT_f16(o.dst, i, GET_f32(o.a, i)))
        FROM_INTEGER(i8) FROM_INTEGER(u8) FROM_INTEGER(i16) FROM_INTEGER(i32)
        TO_INTEGERS(, WAY_rn)
        EVERY_WAY(tz) EVERY_WAY(up) EVERY_WAY(dn) EVERY_WAY(rd) EVERY_WAY(oz)
        ROUND(rn) ROUND(tz) ROUND(up) ROUND(dn) ROUND(rd) ROUND(oz)
        REQUANTISE(i32, i8) REQUANTISE(i32, i16) REQUANTISE(i32, i32) REQUANTISE(i16, i8)
        REQUANTISE(i16, i16) REQUANTISE(i16, i32) REQUANTISE(i8, i8) REQUANTISE(i8, i16)
        REQUANTISE(i8, i32) REQUANTISE(i32, i4) REQUANTISE(i16, i4) REQUANTISE(i8, i4)
        CONVERT4(i4_i8, i4, i8, ((i8 *)to)[i] = ((const i8 *)x)[i])
        CONVERT4(i8_i4, i8, i4, ((i8 *)to)[i] = clamped4(((const i8 *)x)[i]))
        CONVERT4(i4_f16, i4, f16, PUT_f16(to, i, (float)GET_i4(x, i)))
        CONVERT4(i4_f32, i4, f32, PUT_f32(to, i, (float)GET_i4(x, i)))
        TO_NIBBLES(, WAY_rn) TO_NIBBLES(_tz, WAY_tz) TO_NIBBLES(_up, WAY_up)
        TO_NIBBLES(_dn, WAY_dn) TO_NIBBLES(_rd, WAY_rd) TO_NIBBLES(_oz, WAY_oz)
        EACH(VBF_f32_bf16, 4, 2, ((u16 *)o.dst)[i] = brain_of(GET_f32(o.a, i)))
        EACH(VBF_bf16_f32, 2, 4, PUT_f32(o.dst, i, float_of((u32)((const u16 *)o.a)[i] << 16)))
    }
    return run_reduction(core, handler, a);
}
