// Division and bit counts of 128-bit integers, their conversion from and to float; the remainder
// of floats.
// Division by zero stops the kernel, as it does for narrower integers.
typedef unsigned long u64;
typedef unsigned __int128 u128;
typedef __int128 i128;

static int leading_zeros(u128 a) {
  u64 high = (u64)(a >> 64);
  return high ? __builtin_clzl(high) : 64 + __builtin_clzl((u64)a);
}

// The quotient; *rest gets the remainder.
static u128 divided(u128 a, u128 b, u128 *rest) {
  if ((u64)(a >> 64) == 0 && (u64)(b >> 64) == 0) {
    *rest = (u64)a % (u64)b;
    return (u64)a / (u64)b;
  }
  if (a < b) {
    *rest = a;
    return 0;
  }
  if (b == 0) return (u64)a / (u64)b;  // the machine's trap
  u128 quotient = 0;
  for (int up = leading_zeros(b) - leading_zeros(a); up >= 0; up--) {
    quotient <<= 1;
    if (a >= b << up) {
      a -= b << up;
      quotient |= 1;
    }
  }
  *rest = a;
  return quotient;
}

static u128 size_of(i128 a) { return a < 0 ? -(u128)a : (u128)a; }

u128 __dlp_u128_div(u128 a, u128 b) {
  u128 rest;
  return divided(a, b, &rest);
}

u128 __dlp_u128_rem(u128 a, u128 b) {
  u128 rest;
  divided(a, b, &rest);
  return rest;
}

i128 __dlp_i128_div(i128 a, i128 b) {
  u128 quotient = __dlp_u128_div(size_of(a), size_of(b));
  return (a < 0) != (b < 0) ? (i128)-quotient : (i128)quotient;
}

i128 __dlp_i128_rem(i128 a, i128 b) {
  u128 rest = __dlp_u128_rem(size_of(a), size_of(b));
  return a < 0 ? (i128)-rest : (i128)rest;
}

u128 __dlp_u128_ctlz(u128 a) { return a ? leading_zeros(a) : 128; }

u128 __dlp_u128_cttz(u128 a) {
  u64 low = (u64)a, high = (u64)(a >> 64);
  return low ? __builtin_ctzl(low) : high ? 64 + __builtin_ctzl(high) : 128;
}

u128 __dlp_u128_ctpop(u128 a) {
  return __builtin_popcountl((u64)a) + __builtin_popcountl((u64)(a >> 64));
}

u128 __dlp_u128_bswap(u128 a) {
  return (u128)__builtin_bswap64((u64)a) << 64 | __builtin_bswap64((u64)(a >> 64));
}

float __dlp_f32_from_u128(u128 a) {
  if ((u64)(a >> 64) == 0) return (float)(u64)a;
  int up = leading_zeros(a);
  u128 left = a << up;
  u64 top = (u64)(left >> 64) | ((u64)left != 0);  // rounded once, below
  unsigned kept = (unsigned)(top >> 40), bits = ((unsigned)(254 - up - 1) << 23) + kept;
  u64 rest = top & ((1ul << 40) - 1), tie = 1ul << 39;
  if (rest > tie || (rest == tie && (kept & 1))) bits++;
  return __builtin_bit_cast(float, bits);
}

float __dlp_f32_from_i128(i128 a) {
  float size = __dlp_f32_from_u128(size_of(a));
  return a < 0 ? -size : size;
}

u128 __dlp_u128_from_f32(float from) {
  unsigned a = __builtin_bit_cast(unsigned, from);
  int exponent = (int)(a >> 23 & 0xFF) - 127;
  u64 bits = (a & 0x7FFFFF) | 0x800000;
  if (exponent < 0) return 0;
  u128 size = exponent > 23 ? (u128)bits << (exponent - 23) : (u128)(bits >> (23 - exponent));
  return a >> 31 ? -size : size;
}

// a - b · trunc(a / b), exact.
float __dlp_f32_rem(float a, float b) {
  float size = __builtin_fabsf(b), rest = __builtin_fabsf(a);
  if (!(size > 0) || !(rest < __builtin_inff())) return (a * b) / (a * b);
  while (rest >= size) {
    float step = size;
    while (step <= rest * 0.5f) step *= 2;
    rest -= step;
  }
  return __builtin_copysignf(rest, a);
}
