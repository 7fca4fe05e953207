// What host code needs of the compiler's run-time libraries, for programs that use nothing of
// C++'s own library: 16-bit floats, new and delete, and the ends of what cannot happen without
// exceptions.  Linked into such programs only.
#include <stddef.h>
#include <stdint.h>

void *malloc(size_t size);
void free(void *at);
_Noreturn void abort(void);

// ---- 16-bit floats -----------------------------------------------------------------------
typedef union { _Float16 value; uint16_t bits; } Half;
typedef union { float value; uint32_t bits; } Single;
typedef union { double value; uint64_t bits; } Double;

float __extendhfsf2(_Float16 from) {
  uint16_t half = ((Half){.value = from}).bits;
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
  uint32_t fraction = half & 0x3FF;
  if (exponent == 0) {  // fraction · 2⁻²⁴, exact
    float small = (float)fraction * 0x1p-24f;
    return sign ? -small : small;
  }
  uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return ((Single){.bits = sign | wide << 23 | fraction << 13}).value;
}

_Float16 __truncdfhf2(double from) {
  uint64_t bits = ((Double){.value = from}).bits;
  uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
  int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
  uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
  uint16_t half;
  if (exponent == 1024) {
    half = fraction ? 0x7E00 : 0x7C00;
  } else if (exponent > 15) {
    half = 0x7C00;
  } else if (exponent < -25) {
    half = 0;
  } else {
    uint64_t whole = fraction | (uint64_t)1 << 52;
    int drop = exponent < -14 ? 42 - 14 - exponent : 42;  // bits that do not fit
    uint64_t kept = whole >> drop, rest = whole & (((uint64_t)1 << drop) - 1);
    uint64_t middle = (uint64_t)1 << (drop - 1);
    kept += rest > middle || (rest == middle && (kept & 1));
    // A carry out of the fraction goes into the exponent, as it must.
    half = (uint16_t)(exponent < -14 ? kept : kept + ((uint64_t)(exponent + 14) << 10));
  }
  return ((Half){.bits = sign | half}).value;
}

_Float16 __truncsfhf2(float from) { return __truncdfhf2(from); }

// ---- C++ ---------------------------------------------------------------------------------
void *_Znwm(size_t size) {
  void *at = malloc(size ? size : 1);
  if (!at) abort();
  return at;
}
void *_Znam(size_t size) { return _Znwm(size); }
void _ZdlPv(void *at) { free(at); }
void _ZdaPv(void *at) { free(at); }
void _ZdlPvm(void *at, size_t size) { (void)size, free(at); }
void _ZdaPvm(void *at, size_t size) { (void)size, free(at); }
int __cxa_guard_acquire(uint8_t *guard) { return !*guard; }
void __cxa_guard_release(uint8_t *guard) { *guard = 1; }
void __cxa_guard_abort(uint8_t *guard) { (void)guard; }
void __cxa_pure_virtual(void) { abort(); }
void __gxx_personality_v0(void) { abort(); }
void _Unwind_Resume(void *exception) { (void)exception, abort(); }
void *__cxa_begin_catch(void *exception) { (void)exception, abort(); }
void __cxa_end_catch(void) { abort(); }
void _ZSt9terminatev(void) { abort(); }
