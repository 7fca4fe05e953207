// Filling memories with one value.
#pragma once
#include "copy.h"

// What is written is elem_count times the value as it is: its type counts, not that of dst.  A value
// of no element's type, such as bool, long or double, is converted to that of dst.  The memsets of
// BANG 2.x, whose dst has a type, convert every value.
template <typename T> struct __dlp_is_element { enum { yes = 0 }; };
template <bool> struct __dlp_if {};
template <> struct __dlp_if<true> { typedef void type; };
#define __DLP_ELEMENT(T, M, ...)                                                             \
  template <> struct __dlp_is_element<T> { enum { yes = 1 }; };                              \
  __DLP_INLINE void __dlp_fill(T *dst, long long elem_count, T value) {                      \
    __dlp_rule_fill(elem_count * (long long)sizeof(T), __dlp_places(dst));                   \
    __dlp_VSET_##M(dst, elem_count, __dlp_bits(value));                                      \
  }                                                                                          \
  __DLP_INLINE void __bang_write_zero(T *dst, long long elem_count) {                        \
    __dlp_fill(dst, elem_count, (T)0);                                                       \
  }
__DLP_NUMBERS(__DLP_ELEMENT, )
#undef __DLP_ELEMENT
template <> struct __dlp_is_element<bfloat16_t> { enum { yes = 1 }; };
__DLP_INLINE void __dlp_fill(bfloat16_t *dst, long long elem_count, bfloat16_t value) {
  __dlp_fill((unsigned short *)dst, elem_count, value.bits);
}
// Memory of no type is filled with bytes.
__DLP_INLINE void __bang_write_zero(void *dst, long long elem_count) {
  __dlp_fill((char *)dst, elem_count, (char)0);
}
__DLP_INLINE void __bang_write_zero(bfloat16_t *dst, long long elem_count) {
  __dlp_fill((unsigned short *)dst, elem_count, (unsigned short)0);
}

#define __DLP_IF_ELEMENT(V, ...)                                                             \
  typename __dlp_if<__VA_ARGS__ __dlp_is_element<V>::yes>::type * = nullptr
#define __DLP_FILL(NAME, FILL)                                                               \
  template <typename V>                                                                      \
  __DLP_INLINE void NAME(void *dst, long long elem_count, V value, __DLP_IF_ELEMENT(V)) {    \
    FILL((V *)dst, elem_count, value);                                                       \
  }                                                                                          \
  template <typename T, typename V>                                                          \
  __DLP_INLINE void NAME(T *dst, long long elem_count, V value, __DLP_IF_ELEMENT(V, !)) {    \
    FILL(dst, elem_count, (T)value);                                                         \
  }                                                                                          \
  template <typename V>                                                                      \
  __DLP_INLINE void NAME(void *dst, long long elem_count, V value, __DLP_IF_ELEMENT(V, !)) { \
    FILL((char *)dst, elem_count, (char)value);                                              \
  }
#if __BANG_ARCH__ < 300
#define __DLP_SET(NAME, FILL)                                                                \
  template <typename T, typename V>                                                          \
  __DLP_INLINE void NAME(T *dst, long long elem_count, V value) {                            \
    FILL(dst, elem_count, (T)value);                                                         \
  }                                                                                          \
  template <typename V> __DLP_INLINE void NAME(void *dst, long long elem_count, V value) {   \
    FILL((char *)dst, elem_count, (char)value);                                              \
  }
#else
#define __DLP_SET(NAME, FILL) __DLP_FILL(NAME, FILL)
#endif
__DLP_FILL(__bang_write_value, __dlp_fill)
__DLP_FILL(__memset_nram, __dlp_fill)
__DLP_SET(__nramset, __dlp_fill)
__DLP_SET(__nramset_async, __dlp_fill)

// (iter1 + 1) · (iter2 + 1) pieces, strides in bytes.
#define __DLP_FILL_PIECES(NAME)                                                              \
  template <typename V>                                                                      \
  __DLP_INLINE void NAME(void *dst, long long elem_count, V value, int stride0, int iter1,   \
                         int stride1, int iter2) {                                           \
    for (int j = 0; j <= iter2; j++)                                                         \
      for (int i = 0; i <= iter1; i++)                                                       \
        NAME((char *)dst + j * stride1 + i * stride0, elem_count, value);                    \
  }
__DLP_FILL_PIECES(__bang_write_value)
__DLP_FILL_PIECES(__nramset)
#undef __DLP_FILL_PIECES
#define __DLP_TYPED(T, NAME)                                                                 \
  __DLP_INLINE void __nramset_##NAME(T *dst, int elem_count, T value) {                      \
    __dlp_fill(dst, elem_count, value);                                                      \
  }
__DLP_TYPED(half, half) __DLP_TYPED(float, float) __DLP_TYPED(short, short) __DLP_TYPED(int, int)
__DLP_TYPED(unsigned short, ushort) __DLP_TYPED(unsigned, uint) __DLP_TYPED(char, char)
#undef __DLP_TYPED

// Other memories, through a piece of the stack that holds the value over and over.
#define __DLP_FILL_FAR(NAME, STORE)                                                          \
  template <typename T> __DLP_INLINE void __dlp_far_##NAME(T *dst, long long elem_count, T value) { \
    T piece[512 / sizeof(T)];                                                                \
    const long long most = 512 / sizeof(T);                                                  \
    __dlp_fill(piece, elem_count < most ? elem_count : most, value);                         \
    for (long long i = 0; i < elem_count; i += most) {                                       \
      const long long n = elem_count - i < most ? elem_count - i : most;                     \
      __dlp_ordered_##STORE(dst + i, n * (long long)sizeof(T), piece);                       \
    }                                                                                        \
  }                                                                                          \
  __DLP_SET(NAME, __dlp_far_##NAME)
__DLP_FILL_FAR(__gdramset, VSTORE)
__DLP_FILL_FAR(__ldramset, VSTORE)
__DLP_FILL_FAR(__sramset, VWRITE)
#undef __DLP_FILL_FAR
#undef __DLP_SET
#undef __DLP_FILL
#undef __DLP_IF_ELEMENT
