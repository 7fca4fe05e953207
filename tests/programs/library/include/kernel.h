// What the kernels of a library share: sizes of the machine, status, checks of launches.
#ifndef LIBRARY_KERNEL_H_
#define LIBRARY_KERNEL_H_
#include <bang.h>
#ifdef __BANG_ARCH__
#define MAX_NRAM_SIZE (__MLU_NRAM_SIZE__ * 1024 - 128 * 1024)
#else
#define MAX_NRAM_SIZE (384 * 1024)
#endif
#define PAD_DOWN(x, y) (((x) / (y)) * (y))
#define LIB_WIN_API
#define KERNEL_CHECK(kernel...)                                                      \
  {                                                                                  \
    kernel;                                                                          \
    cnrtRet_t ret = cnrtPeekAtLastError();                                           \
    if (ret != cnrtSuccess) return LIB_STATUS_EXECUTION_FAILED;                      \
  }
typedef enum { LIB_STATUS_SUCCESS, LIB_STATUS_BAD_PARAM, LIB_STATUS_EXECUTION_FAILED } libStatus_t;
typedef enum { LIB_DTYPE_HALF = 1, LIB_DTYPE_FLOAT = 2 } libDataType_t;
libStatus_t LIB_WIN_API Scale(cnrtDim3_t k_dim, cnrtFunctionType_t k_type, cnrtQueue_t queue,
                              libDataType_t dtype, const void *x, void *y, float by, size_t n);
libStatus_t LIB_WIN_API Sum(cnrtDim3_t k_dim, cnrtFunctionType_t k_type, cnrtQueue_t queue,
                            const float *x, float *y, size_t n);
#endif
