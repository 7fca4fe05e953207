// The rules of the MLU270 class: a broken one is an error, when compiling where the sizes are
// constants, else a TRAP that names it.  Later classes take any size and alignment.
#pragma once
#include "types.h"

#define __DLP_MUST(RULE, HOLDS)                                                              \
  do {                                                                                       \
    const bool holds = (HOLDS);                                                              \
    if (__builtin_constant_p(holds)) {                                                       \
      if (!holds) __dlp_refuse_##RULE();                                                     \
    } else if (__builtin_expect(!holds, 0)) {                                                \
      __dlp_TRAP(__dlp_rule_##RULE);                                                         \
    }                                                                                        \
  } while (0)
#if __BANG_ARCH__ < 300
#define __DLP_MUST_200(RULE, HOLDS) __DLP_MUST(RULE, HOLDS)
#else
#define __DLP_MUST_200(RULE, HOLDS) do { } while (0)
#endif

__DLP_INLINE long long __dlp_places(const void *a, const void *b = 0, const void *c = 0,
                                    const void *d = 0) {
  return (long long)a | (long long)b | (long long)c | (long long)d;
}
__DLP_INLINE bool __dlp_apart(const void *a, long long size_a, const void *b, long long size_b) {
  return (long long)a + size_a <= (long long)b || (long long)b + size_b <= (long long)a;
}
// Element-wise operations: bytes, and all addresses at once.
__DLP_INLINE void __dlp_rule_vector(long long bytes, long long places) {
  __DLP_MUST_200(elements_times_their_size_must_be_a_positive_multiple_of_128_bytes,
                 bytes > 0 && bytes % 128 == 0);
  __DLP_MUST_200(NRAM_operands_must_be_aligned_to_64_bytes, (places & 63) == 0);
}
__DLP_INLINE void __dlp_rule_fill(long long bytes, long long place) {
  __DLP_MUST_200(elements_times_their_size_must_be_a_positive_multiple_of_64_bytes,
                 bytes > 0 && bytes % 64 == 0);
  __DLP_MUST_200(NRAM_operands_must_be_aligned_to_64_bytes, (place & 63) == 0);
}
__DLP_INLINE void __dlp_rule_cycle(long long bytes, long long segment, long long places) {
  __dlp_rule_vector(bytes, places);
  __dlp_rule_vector(segment, 0);
  __DLP_MUST_200(the_elements_of_src_must_be_a_multiple_of_those_of_seg, bytes % segment == 0);
}
__DLP_INLINE void __dlp_rule_apart(const void *a, long long size_a, const void *b,
                                   long long size_b) {
  __DLP_MUST_200(dst_and_src_must_not_overlap, __dlp_apart(a, size_a, b, size_b));
}
__DLP_INLINE void __dlp_rule_convert(long long count, long long places) {
  __DLP_MUST_200(the_elements_must_be_a_multiple_of_64, count > 0 && count % 64 == 0);
  __DLP_MUST_200(NRAM_operands_must_be_aligned_to_64_bytes, (places & 63) == 0);
}
__DLP_INLINE void __dlp_rule_channels(long long bytes, long long places) {
  __DLP_MUST_200(channels_times_their_size_must_be_a_multiple_of_128_bytes, bytes % 128 == 0);
  __DLP_MUST_200(NRAM_operands_must_be_aligned_to_64_bytes, (places & 63) == 0);
}
__DLP_INLINE void __dlp_rule_position(int position) {
  __DLP_MUST(fix_position_must_lie_between_minus_127_and_127, position >= -127 && position <= 127);
}
