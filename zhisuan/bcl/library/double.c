// Double precision in integers: IEEE 754 binary64, round to nearest even, for chips without it.
// A double travels as its 64 bits.  Inside, a number is a sign, a biased exponent and 63 bits with
// the leading one at bit 62; of the lowest bit, "or more" is all that is known.  NaNs that
// arithmetic makes are the quiet one.
typedef unsigned long u64;
typedef long i64;
typedef unsigned __int128 u128;
typedef __int128 i128;

#define SIGN 0x8000000000000000ul
#define INFINITE 0x7FF0000000000000ul
#define QUIET_NAN 0x7FF8000000000000ul
#define ONE 0x3FF0000000000000ul
#define FRACTION 0x000FFFFFFFFFFFFFul
#define BIAS 1023

typedef struct {
  int exponent;
  u64 bits;
} Number;

static u64 size_of(u64 a) { return a & ~SIGN; }
static int is_nan(u64 a) { return size_of(a) > INFINITE; }
static int is_infinite(u64 a) { return size_of(a) == INFINITE; }
static int is_zero(u64 a) { return size_of(a) == 0; }

// bits / 2^by, remembering in the lowest bit that something was lost.
static u64 shifted(u64 bits, int by) {
  if (by <= 0) return bits;
  if (by > 63) return bits != 0;
  return bits >> by | ((bits & ((1ul << by) - 1)) != 0);
}

static Number unpacked(u64 a) {
  u64 fraction = a & FRACTION;
  int exponent = (int)(a >> 52 & 0x7FF);
  if (exponent) return (Number){exponent, (fraction | 1ul << 52) << 10};
  int up = __builtin_clzl(fraction) - 11;
  return (Number){1 - up, fraction << up << 10};
}

static u64 packed(u64 sign, int exponent, u64 bits) {
  if (exponent >= 0x7FF) return sign | INFINITE;
  if (exponent <= 0) bits = shifted(bits, 1 - exponent);
  u64 rest = bits & 0x3FF, kept = bits >> 10;
  u64 result = exponent <= 0 ? kept : ((u64)(exponent - 1) << 52) + kept;
  if (rest > 0x200 || (rest == 0x200 && (kept & 1))) result++;
  return sign | result;
}

u64 __dlp_f64_add(u64 a, u64 b) {
  if (is_nan(a) || is_nan(b)) return QUIET_NAN;
  if (is_infinite(a)) return is_infinite(b) && a != b ? QUIET_NAN : a;
  if (is_infinite(b)) return b;
  if (is_zero(b)) return is_zero(a) ? a & b : a;
  if (is_zero(a)) return b;
  if (size_of(a) < size_of(b)) {
    u64 larger = b;
    b = a;
    a = larger;
  }
  Number x = unpacked(a), y = unpacked(b);
  u64 lesser = shifted(y.bits, x.exponent - y.exponent);
  if (((a ^ b) & SIGN) == 0) {
    u64 sum = x.bits + lesser;
    if (sum >> 63) return packed(a & SIGN, x.exponent + 1, shifted(sum, 1));
    return packed(a & SIGN, x.exponent, sum);
  }
  u64 difference = x.bits - lesser;
  if (difference == 0) return 0;
  int up = __builtin_clzl(difference) - 1;
  return packed(a & SIGN, x.exponent - up, difference << up);
}

u64 __dlp_f64_sub(u64 a, u64 b) { return __dlp_f64_add(a, is_nan(b) ? b : b ^ SIGN); }

u64 __dlp_f64_mul(u64 a, u64 b) {
  u64 sign = (a ^ b) & SIGN;
  if (is_nan(a) || is_nan(b)) return QUIET_NAN;
  if (is_infinite(a) || is_infinite(b))
    return is_zero(a) || is_zero(b) ? QUIET_NAN : sign | INFINITE;
  if (is_zero(a) || is_zero(b)) return sign;
  Number x = unpacked(a), y = unpacked(b);
  u128 product = (u128)x.bits * y.bits;
  u64 bits = (u64)(product >> 62) | (((u64)product << 2) != 0);
  int exponent = x.exponent + y.exponent - BIAS;
  if (bits >> 63) return packed(sign, exponent + 1, shifted(bits, 1));
  return packed(sign, exponent, bits);
}

u64 __dlp_f64_div(u64 a, u64 b) {
  u64 sign = (a ^ b) & SIGN;
  if (is_nan(a) || is_nan(b)) return QUIET_NAN;
  if (is_infinite(a)) return is_infinite(b) ? QUIET_NAN : sign | INFINITE;
  if (is_infinite(b)) return sign;
  if (is_zero(b)) return is_zero(a) ? QUIET_NAN : sign | INFINITE;
  if (is_zero(a)) return sign;
  Number x = unpacked(a), y = unpacked(b);
  int exponent = x.exponent - y.exponent + BIAS;
  u64 rest = x.bits, quotient = 0;
  if (rest < y.bits) {
    rest <<= 1;
    exponent--;
  }
  for (int i = 0; i < 63; i++) {
    quotient <<= 1;
    if (rest >= y.bits) {
      rest -= y.bits;
      quotient |= 1;
    }
    rest <<= 1;
  }
  return packed(sign, exponent, quotient | (rest != 0));
}

// a - b · trunc(a / b), exact.
u64 __dlp_f64_rem(u64 a, u64 b) {
  if (is_nan(a) || is_nan(b) || is_infinite(a) || is_zero(b)) return QUIET_NAN;
  if (is_infinite(b) || size_of(a) < size_of(b)) return a;
  Number x = unpacked(a), y = unpacked(b);
  u64 rest = x.bits;
  for (int steps = x.exponent - y.exponent; steps > 0; steps--) {
    if (rest >= y.bits) rest -= y.bits;
    rest <<= 1;
  }
  if (rest >= y.bits) rest -= y.bits;
  if (rest == 0) return a & SIGN;
  int up = __builtin_clzl(rest) - 1;
  return packed(a & SIGN, y.exponent - up, rest << up);
}

u64 __dlp_f64_sqrt(u64 a) {
  if (is_nan(a)) return QUIET_NAN;
  if (is_zero(a) || a == INFINITE) return a;
  if (a & SIGN) return QUIET_NAN;
  Number x = unpacked(a);
  int odd = (x.exponent - BIAS) & 1;
  int exponent = (x.exponent - BIAS - odd) / 2 + BIAS;
  u128 rest = 0, square = (u128)x.bits << (62 + odd);
  u64 root = 0;
  for (int i = 0; i < 63; i++) {  // two bits of the square make one of the root
    rest = rest << 2 | (u64)(square >> 124);
    square = square << 4 >> 2;
    u128 trial = (u128)root << 2 | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1;
    }
  }
  return packed(0, exponent, root | (rest != 0));
}

// -- comparison ---------------------------------------------------------------------------

int __dlp_f64_unordered(u64 a, u64 b) { return is_nan(a) || is_nan(b); }

int __dlp_f64_equal(u64 a, u64 b) {
  if (__dlp_f64_unordered(a, b)) return 0;
  return a == b || (is_zero(a) && is_zero(b));
}

int __dlp_f64_less(u64 a, u64 b) {
  if (__dlp_f64_unordered(a, b) || (is_zero(a) && is_zero(b))) return 0;
  if ((a ^ b) & SIGN) return (a & SIGN) != 0;
  return a & SIGN ? b < a : a < b;
}

int __dlp_f64_less_equal(u64 a, u64 b) { return __dlp_f64_less(a, b) || __dlp_f64_equal(a, b); }

u64 __dlp_f64_min(u64 a, u64 b) {
  if (is_nan(a)) return b;
  return is_nan(b) || __dlp_f64_less(a, b) ? a : b;
}

u64 __dlp_f64_max(u64 a, u64 b) {
  if (is_nan(a)) return b;
  return is_nan(b) || __dlp_f64_less(b, a) ? a : b;
}

// The class as LLVM numbers them: a bit each for signalling and quiet NaN, then from minus
// infinity over negative normal, subnormal, zero to plus infinity.
int __dlp_f64_class(u64 a) {
  int exponent = (int)(a >> 52 & 0x7FF);
  if (is_nan(a)) return a & 1ul << 51 ? 2 : 1;
  int kind = is_infinite(a) ? 3 : exponent ? 2 : is_zero(a) ? 0 : 1;
  return a & SIGN ? 32 >> kind : 64 << kind;
}

// -- whole numbers ------------------------------------------------------------------------

enum { TRUNC, FLOOR, CEIL, EVEN, AWAY };

// a made whole; a carry out of the fraction makes the next exponent.
static u64 whole(u64 a, int way) {
  int exponent = (int)(a >> 52 & 0x7FF) - BIAS;
  if (exponent >= 52) return is_nan(a) ? QUIET_NAN : a;
  u64 sign = a & SIGN;
  if (exponent < 0) {  // less than one
    int up = way == FLOOR  ? sign && !is_zero(a)
             : way == CEIL ? !sign && !is_zero(a)
             : way == EVEN ? exponent == -1 && (a & FRACTION)
                           : way == AWAY && exponent == -1;
    return sign | (up ? ONE : 0);
  }
  u64 unit = 1ul << (52 - exponent), rest = a & (unit - 1), down = a - rest;
  int odd = exponent == 0 || (a & unit);
  int up = way == FLOOR  ? sign != 0
           : way == CEIL ? sign == 0
           : way == EVEN ? rest > unit / 2 || (rest == unit / 2 && odd)
                         : way == AWAY && rest >= unit / 2;
  return rest && up ? down + unit : down;
}

u64 __dlp_f64_trunc(u64 a) { return whole(a, TRUNC); }
u64 __dlp_f64_floor(u64 a) { return whole(a, FLOOR); }
u64 __dlp_f64_ceil(u64 a) { return whole(a, CEIL); }
u64 __dlp_f64_rint(u64 a) { return whole(a, EVEN); }
u64 __dlp_f64_round(u64 a) { return whole(a, AWAY); }

u64 __dlp_f64_from_u64(u64 a) {
  if (a == 0) return 0;
  int up = __builtin_clzl(a);
  return packed(0, BIAS + 63 - up, shifted(a << up, 1));
}

u64 __dlp_f64_from_i64(i64 a) {
  return a < 0 ? SIGN | __dlp_f64_from_u64(-(u64)a) : __dlp_f64_from_u64((u64)a);
}

u64 __dlp_f64_from_u128(u128 a) {
  u64 high = (u64)(a >> 64), low = (u64)a;
  if (high == 0) return __dlp_f64_from_u64(low);
  int up = __builtin_clzl(high);
  u128 left = a << up;
  u64 bits = (u64)(left >> 64) | ((u64)left != 0);
  return packed(0, BIAS + 127 - up, shifted(bits, 1));
}

u64 __dlp_f64_from_i128(i128 a) {
  return a < 0 ? SIGN | __dlp_f64_from_u128(-(u128)a) : __dlp_f64_from_u128((u128)a);
}

// The size of a toward zero, modulo 2^128; beyond the range of the result C leaves it open.
static u128 size_as_integer(u64 a) {
  int exponent = (int)(a >> 52 & 0x7FF) - BIAS;
  u64 bits = (a & FRACTION) | 1ul << 52;
  if (exponent < 0) return 0;
  if (exponent > 127) return ~(u128)0;
  return exponent > 52 ? (u128)bits << (exponent - 52) : bits >> (52 - exponent);
}

u128 __dlp_u128_from_f64(u64 a) {
  return is_nan(a) ? 0 : a & SIGN ? -size_as_integer(a) : size_as_integer(a);
}

i64 __dlp_i64_from_f64(u64 a) {
  int exponent = (int)(a >> 52 & 0x7FF) - BIAS;
  if (is_nan(a)) return 0;
  if (exponent > 62) return (i64)(a & SIGN ? SIGN : ~SIGN);
  u64 size = (u64)size_as_integer(a);
  return (i64)(a & SIGN ? -size : size);
}

u64 __dlp_u64_from_f64(u64 a) {
  int exponent = (int)(a >> 52 & 0x7FF) - BIAS;
  if (is_nan(a) || a & SIGN) return 0;
  return exponent > 63 ? ~0ul : (u64)size_as_integer(a);
}

// -- float and half -----------------------------------------------------------------------

u64 __dlp_f64_from_f32(float from) {
  unsigned a = __builtin_bit_cast(unsigned, from), fraction = a & 0x7FFFFF;
  u64 sign = (u64)(a >> 31) << 63;
  int exponent = (int)(a >> 23 & 0xFF);
  if (exponent == 0xFF) return fraction ? QUIET_NAN | sign | (u64)fraction << 29 : sign | INFINITE;
  if (exponent) return sign | (u64)(exponent + BIAS - 127) << 52 | (u64)fraction << 29;
  if (fraction == 0) return sign;
  int up = __builtin_clzl((u64)fraction) - 40;  // the leading one to bit 23
  return sign | (u64)(BIAS - 126 - up) << 52 | ((u64)fraction << (up + 29) & FRACTION);
}

// The bits of a rounded to a shorter format of `width` fraction bits and bias `bias`.
static unsigned narrow(u64 a, int width, int bias, unsigned infinite) {
  int exponent = (int)(a >> 52 & 0x7FF) - BIAS + bias;
  if (is_nan(a)) return infinite | 1u << (width - 1) | (unsigned)((a & FRACTION) >> (52 - width));
  if (is_zero(a)) return 0;
  if (is_infinite(a) || exponent >= 2 * bias + 1) return infinite;
  u64 bits = (a & FRACTION) | (a >> 52 & 0x7FF ? 1ul << 52 : 0);
  bits = shifted(bits << 10, exponent <= 0 ? 1 - exponent : 0);
  int drop = 62 - width;
  u64 unit = 1ul << drop, rest = bits & (unit - 1), kept = bits >> drop;
  u64 result = exponent <= 0 ? kept : ((u64)(exponent - 1) << width) + kept;
  if (rest > unit / 2 || (rest == unit / 2 && (kept & 1))) result++;
  return (unsigned)result;
}

float __dlp_f32_from_f64(u64 a) {
  return __builtin_bit_cast(float, (unsigned)(a >> 63) << 31 | narrow(a, 23, 127, 0x7F800000));
}

_Float16 __dlp_f16_from_f64(u64 a) {
  unsigned bits = (unsigned)(a >> 63) << 15 | narrow(a, 10, 15, 0x7C00);
  return __builtin_bit_cast(_Float16, (unsigned short)bits);
}
