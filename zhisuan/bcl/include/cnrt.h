// The host's side of a program: memory of the card, queues, notifiers, launches.
// Both generations of names.  Every function ends in one call into the simulator
// (zhisuan_call), with its own name and its arguments; each also says where it was called.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Mathematics that programs use on the host without its header, which has short names such as y1.
extern "C" {
double fabs(double) noexcept; double sqrt(double) noexcept; double exp(double) noexcept;
double log(double) noexcept; double pow(double, double) noexcept; double floor(double) noexcept;
double ceil(double) noexcept; double fmax(double, double) noexcept;
double fmin(double, double) noexcept;
}

extern "C" int64_t zhisuan_call(const char *name, const int64_t *args, int64_t count,
                                const char *file, int64_t line);

// Programs choose between generations of names by this; both are here.
#define CNRT_MAJOR_VERSION 6
#define CNRT_MINOR_VERSION 0
#define CNRT_PATCH_VERSION 0

// ---- types -----------------------------------------------------------------------------
// What calls return; runtime/status.py has the same numbers.
typedef enum {
  cnrtSuccess = 0,
  cnrtErrorArgsInvalid = 1,
  cnrtErrorNoMem = 2,
  cnrtErrorNoDevice = 3,
  cnrtErrorNotReady = 4,
  cnrtErrorKernelFault = 5,
} cnrtRet_t;
#define CNRT_RET_SUCCESS cnrtSuccess
#define CNRT_RET_ERR_INVALID cnrtErrorArgsInvalid
#define CNRT_RET_ERR_NOMEM cnrtErrorNoMem
#define CNRT_RET_ERR_NODEV cnrtErrorNoDevice
#define CNRT_RET_ERR_NOT_READY cnrtErrorNotReady

typedef struct { unsigned int x, y, z; } cnrtDim3_t;
typedef struct cnrtQueueOf *cnrtQueue_t;
typedef struct cnrtNotifierOf *cnrtNotifier_t;
typedef struct cnrtParamsOf *cnrtKernelParamsBuffer_t;
typedef struct cnrtInitOf *cnrtKernelInitParam_t;
typedef int64_t cnrtDev_t;
// Which clusters a launch is to take: cnrtInvokeKernel_V3 takes it and leaves the choice to the card.
typedef enum { CNRT_INVOKE_PARAM_TYPE_0 } cnrtInvokeParamType_t;
typedef struct { unsigned int *affinity; } cnrtClusterAffinity_t;
typedef struct {
  cnrtInvokeParamType_t invoke_param_type;
  cnrtClusterAffinity_t cluster_affinity;
} cnrtInvokeParam_t;

// Clusters times four, 1 for BLOCK.
typedef enum {
  cnrtFuncTypeBlock = 1,
  cnrtFuncTypeUnion1 = 4,
  cnrtFuncTypeUnion2 = 8,
  cnrtFuncTypeUnion4 = 16,
  cnrtFuncTypeUnion8 = 32,
} cnrtFunctionType_t;
#define CNRT_FUNC_TYPE_BLOCK cnrtFuncTypeBlock
#define CNRT_FUNC_TYPE_UNION1 cnrtFuncTypeUnion1
#define CNRT_FUNC_TYPE_UNION2 cnrtFuncTypeUnion2
#define CNRT_FUNC_TYPE_UNION4 cnrtFuncTypeUnion4
#define CNRT_FUNC_TYPE_UNION8 cnrtFuncTypeUnion8
#define CNRT_FUNC_TYPE_MUTABLE cnrtFuncTypeBlock

typedef enum {
  cnrtMemcpyHostToDev,
  cnrtMemcpyDevToHost,
  cnrtMemcpyDevToDev,
  cnrtMemcpyHostToHost,
  cnrtMemcpyNoDirection,
} cnrtMemTransDir_t;
typedef cnrtMemTransDir_t cnrtMemcpyDir_t;
#define CNRT_MEM_TRANS_DIR_HOST2DEV cnrtMemcpyHostToDev
#define CNRT_MEM_TRANS_DIR_DEV2HOST cnrtMemcpyDevToHost
#define CNRT_MEM_TRANS_DIR_DEV2DEV cnrtMemcpyDevToDev
#define CNRT_MEM_TRANS_DIR_HOST2HOST cnrtMemcpyHostToHost

// Types of data, as operators take them.
typedef enum {
  CNRT_INVALID = 0, CNRT_FLOAT16 = 0x12, CNRT_FLOAT32 = 0x13, CNRT_FLOAT64 = 0x14,
  CNRT_INT8 = 0x21, CNRT_INT16 = 0x22, CNRT_INT32 = 0x23, CNRT_INT64 = 0x25,
  CNRT_UINT8 = 0x31, CNRT_UINT16 = 0x32, CNRT_UINT32 = 0x33, CNRT_BOOL = 0x41,
} cnrtDataType_t;
typedef enum {
  cnrtInvalid, cnrtChar, cnrtUchar, cnrtShort, cnrtUshort, cnrtInt, cnrtUint, cnrtHalf,
  cnrtFloat, cnrtDouble, cnrtBoolean, cnrtLonglong, cnrtUlonglong, cnrtBfloat,
} cnrtDataType_V2_t;

typedef enum {
  cnrtAttrClusterCount,
  cnrtAttrMcorePerCluster,
  cnrtAttrMaxClusterCountPerUnionTask,
  cnrtAttrNramSizePerMcore,
  cnrtAttrWeightRamSizePerMcore,
  cnrtAttrSharedMemorySizePerCluster,
  cnrtAttrGlobalMemorySize,
  cnrtAttrClockRate,
  cnrtAttrTotalMemSize,
  cnrtAttrComputeCapabilityMajor,
  cnrtAttrComputeCapabilityMinor,
} cnrtDeviceAttr_t;
typedef struct {
  char name[256];
  int clusterCount, McorePerCluster;
  size_t totalGlobalMemSize;  // bytes
} cnrtDeviceProp_t;
typedef struct {
  char device_name[64];
  int core_num;
} cnrtDeviceInfo_t;

// ---- the functions ---------------------------------------------------------------------
#define __CNRT_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define __CNRT_SAY(NAME, ...)                                                               \
  {                                                                                         \
    const int64_t said[] = {0, ##__VA_ARGS__};                                              \
    return (cnrtRet_t)zhisuan_call(NAME, said + 1, sizeof said / 8 - 1, file, line);        \
  }
#define __CNRT static inline __attribute__((unused)) cnrtRet_t

__CNRT cnrtInit(unsigned int, __CNRT_HERE) __CNRT_SAY("init")
static inline __attribute__((unused)) void cnrtDestroy() {}
__CNRT cnrtGetDeviceCount(unsigned int *n, __CNRT_HERE) __CNRT_SAY("device_count", (int64_t)n)
__CNRT cnrtGetDeviceHandle(cnrtDev_t *dev, int ordinal, __CNRT_HERE)
    __CNRT_SAY("device_handle", (int64_t)dev, ordinal)
__CNRT cnrtSetCurrentDevice(cnrtDev_t dev, __CNRT_HERE) __CNRT_SAY("set_device", dev)
__CNRT cnrtSetDevice(int ordinal, __CNRT_HERE) __CNRT_SAY("set_device", ordinal)
__CNRT cnrtGetDevice(int *ordinal, __CNRT_HERE) __CNRT_SAY("get_device", (int64_t)ordinal)
__CNRT cnrtDeviceGetAttribute(int *value, cnrtDeviceAttr_t what, int ordinal, __CNRT_HERE)
    __CNRT_SAY("attribute", (int64_t)value, what, ordinal)
__CNRT cnrtGetCurrentDevice(cnrtDev_t *dev, __CNRT_HERE)
    __CNRT_SAY("device_handle", (int64_t)dev, 0)
__CNRT cnrtGetDeviceProperties(cnrtDeviceProp_t *to, int ordinal, __CNRT_HERE)
    __CNRT_SAY("properties", (int64_t)to->name, sizeof(to->name), (int64_t)&to->clusterCount,
               (int64_t)&to->McorePerCluster, (int64_t)&to->totalGlobalMemSize, ordinal)
static inline __attribute__((unused)) cnrtRet_t cnrtGetDeviceInfo(cnrtDeviceInfo_t *to, int ordinal,
                                                                  __CNRT_HERE) {
  int clusters = 0, cores = 0;
  size_t bytes = 0;
  const int64_t said[] = {(int64_t)to->device_name, sizeof(to->device_name), (int64_t)&clusters,
                          (int64_t)&cores, (int64_t)&bytes, ordinal};
  const cnrtRet_t status = (cnrtRet_t)zhisuan_call("properties", said, 6, file, line);
  to->core_num = clusters * cores;
  return status;
}
__CNRT cnrtGetLibVersion(int *major, int *minor, int *patch, __CNRT_HERE)
    __CNRT_SAY("version", (int64_t)major, CNRT_MAJOR_VERSION, (int64_t)minor, CNRT_MINOR_VERSION,
               (int64_t)patch, CNRT_PATCH_VERSION)
__CNRT cnrtDeviceReset(__CNRT_HERE) __CNRT_SAY("sync_device")
__CNRT cnrtSyncDevice(__CNRT_HERE) __CNRT_SAY("sync_device")
__CNRT cnrtGetLastError(__CNRT_HERE) __CNRT_SAY("last_error", 1)
__CNRT cnrtPeekAtLastError(__CNRT_HERE) __CNRT_SAY("last_error", 0)

__CNRT cnrtMalloc(void **at, size_t size, __CNRT_HERE) __CNRT_SAY("malloc", (int64_t)at, (int64_t)size)
template <typename T> __CNRT cnrtMalloc(T **at, size_t size, __CNRT_HERE)
    __CNRT_SAY("malloc", (int64_t)at, (int64_t)size)
__CNRT cnrtFree(void *at, __CNRT_HERE) __CNRT_SAY("free", (int64_t)at)
__CNRT cnrtHostMalloc(void **at, size_t size, __CNRT_HERE)
    __CNRT_SAY("host_malloc", (int64_t)at, (int64_t)size)
__CNRT cnrtMallocHost(void **at, size_t size, __CNRT_HERE)
    __CNRT_SAY("host_malloc", (int64_t)at, (int64_t)size)
__CNRT cnrtFreeHost(void *at, __CNRT_HERE) __CNRT_SAY("host_free", (int64_t)at)
__CNRT cnrtMemcpy(void *dst, const void *src, size_t size, cnrtMemTransDir_t dir, __CNRT_HERE)
    __CNRT_SAY("memcpy", (int64_t)dst, (int64_t)src, (int64_t)size, dir)
__CNRT cnrtMemcpyAsync(void *dst, const void *src, size_t size, cnrtQueue_t queue,
                       cnrtMemTransDir_t dir, __CNRT_HERE)
    __CNRT_SAY("memcpy_async", (int64_t)dst, (int64_t)src, (int64_t)size, (int64_t)queue, dir)
__CNRT cnrtMemcpyAsync_V2(void *dst, const void *src, size_t size, cnrtQueue_t queue,
                          cnrtMemTransDir_t dir, __CNRT_HERE)
    __CNRT_SAY("memcpy_async", (int64_t)dst, (int64_t)src, (int64_t)size, (int64_t)queue, dir)
__CNRT cnrtMemset(void *at, int value, size_t size, __CNRT_HERE)
    __CNRT_SAY("memset", (int64_t)at, value, (int64_t)size)
__CNRT cnrtMemsetAsync(void *at, int value, size_t size, cnrtQueue_t queue, __CNRT_HERE)
    __CNRT_SAY("memset_async", (int64_t)at, value, (int64_t)size, (int64_t)queue)
__CNRT cnrtMemsetD8(void *at, unsigned char value, size_t size, __CNRT_HERE)
    __CNRT_SAY("memset", (int64_t)at, value, (int64_t)size)
__CNRT cnrtMemsetD32(void *at, unsigned int value, size_t count, __CNRT_HERE)
    __CNRT_SAY("memset_words", (int64_t)at, value, (int64_t)count)
// Numbers of the host: IEEE half, rounded to nearest even.
__CNRT cnrtConvertFloatToHalf(uint16_t *to, float from) {
  *to = __builtin_bit_cast(uint16_t, (_Float16)from);
  return cnrtSuccess;
}
__CNRT cnrtConvertHalfToFloat(float *to, uint16_t from) {
  *to = (float)__builtin_bit_cast(_Float16, from);
  return cnrtSuccess;
}
__CNRT cnrtMemGetInfo(size_t *free, size_t *total, __CNRT_HERE)
    __CNRT_SAY("memory_info", (int64_t)free, (int64_t)total)

__CNRT cnrtQueueCreate(cnrtQueue_t *queue, __CNRT_HERE) __CNRT_SAY("queue", (int64_t)queue)
__CNRT cnrtCreateQueue(cnrtQueue_t *queue, __CNRT_HERE) __CNRT_SAY("queue", (int64_t)queue)
__CNRT cnrtQueueCreateWithPriority(cnrtQueue_t *queue, unsigned int, int, __CNRT_HERE)
    __CNRT_SAY("queue", (int64_t)queue)
__CNRT cnrtQueueDestroy(cnrtQueue_t queue, __CNRT_HERE) __CNRT_SAY("end_queue", (int64_t)queue)
__CNRT cnrtDestroyQueue(cnrtQueue_t queue, __CNRT_HERE) __CNRT_SAY("end_queue", (int64_t)queue)
__CNRT cnrtQueueSync(cnrtQueue_t queue, __CNRT_HERE) __CNRT_SAY("sync_queue", (int64_t)queue)
__CNRT cnrtSyncQueue(cnrtQueue_t queue, __CNRT_HERE) __CNRT_SAY("sync_queue", (int64_t)queue)
__CNRT cnrtQueueQuery(cnrtQueue_t queue, __CNRT_HERE) __CNRT_SAY("sync_queue", (int64_t)queue)
__CNRT cnrtQueryQueue(cnrtQueue_t queue, __CNRT_HERE) __CNRT_SAY("sync_queue", (int64_t)queue)

__CNRT cnrtNotifierCreate(cnrtNotifier_t *n, __CNRT_HERE) __CNRT_SAY("notifier", (int64_t)n)
__CNRT cnrtCreateNotifier(cnrtNotifier_t *n, __CNRT_HERE) __CNRT_SAY("notifier", (int64_t)n)
__CNRT cnrtNotifierCreateWithFlags(cnrtNotifier_t *n, unsigned int, __CNRT_HERE)
    __CNRT_SAY("notifier", (int64_t)n)
__CNRT cnrtNotifierDestroy(cnrtNotifier_t n, __CNRT_HERE) __CNRT_SAY("end_notifier", (int64_t)n)
__CNRT cnrtDestroyNotifier(cnrtNotifier_t *n, __CNRT_HERE)
    __CNRT_SAY("end_notifier", (int64_t)*n)
__CNRT cnrtPlaceNotifier(cnrtNotifier_t n, cnrtQueue_t queue, __CNRT_HERE)
    __CNRT_SAY("place_notifier", (int64_t)n, (int64_t)queue)
__CNRT cnrtWaitNotifier(cnrtNotifier_t n, __CNRT_HERE) __CNRT_SAY("wait_notifier", (int64_t)n)
__CNRT cnrtNotifierWait(cnrtNotifier_t n, __CNRT_HERE) __CNRT_SAY("wait_notifier", (int64_t)n)
__CNRT cnrtQueryNotifier(cnrtNotifier_t n, __CNRT_HERE) __CNRT_SAY("wait_notifier", (int64_t)n)
__CNRT cnrtQueueWaitNotifier(cnrtNotifier_t n, cnrtQueue_t queue, unsigned int, __CNRT_HERE)
    __CNRT_SAY("queue_waits", (int64_t)n, (int64_t)queue)
// Microseconds.
__CNRT cnrtNotifierDuration(cnrtNotifier_t start, cnrtNotifier_t end, float *us, __CNRT_HERE)
    __CNRT_SAY("duration", (int64_t)start, (int64_t)end, (int64_t)us, 1000000)
// Milliseconds.
__CNRT cnrtNotifierElapsedTime(cnrtNotifier_t start, cnrtNotifier_t end, float *ms, __CNRT_HERE)
    __CNRT_SAY("duration", (int64_t)start, (int64_t)end, (int64_t)ms, 1000)

__CNRT cnrtGetKernelParamsBuffer(cnrtKernelParamsBuffer_t *params, __CNRT_HERE)
    __CNRT_SAY("params", (int64_t)params)
__CNRT cnrtKernelParamsBufferAddParam(cnrtKernelParamsBuffer_t params, void *value, size_t size,
                                      __CNRT_HERE)
    __CNRT_SAY("add_param", (int64_t)params, (int64_t)value, (int64_t)size)
__CNRT cnrtDestroyKernelParamsBuffer(cnrtKernelParamsBuffer_t params, __CNRT_HERE)
    __CNRT_SAY("end_params", (int64_t)params)
__CNRT cnrtInvokeKernel_V2(const void *kernel, cnrtDim3_t dim, cnrtKernelParamsBuffer_t params,
                           cnrtFunctionType_t type, cnrtQueue_t queue, __CNRT_HERE)
    __CNRT_SAY("invoke", (int64_t)kernel, dim.x, dim.y, dim.z, (int64_t)params, type,
               (int64_t)queue)
// args[i] is the address of the kernel's i-th argument.
__CNRT cnrtInvokeKernel(const void *kernel, cnrtDim3_t dim, cnrtFunctionType_t type, void **args,
                        size_t, cnrtQueue_t queue, __CNRT_HERE)
    __CNRT_SAY("invoke_args", (int64_t)kernel, dim.x, dim.y, dim.z, (int64_t)args, type,
               (int64_t)queue)
__CNRT cnrtCreateKernelInitParam(cnrtKernelInitParam_t *init, __CNRT_HERE)
    __CNRT_SAY("params", (int64_t)init)
__CNRT cnrtInitKernelMemory(const void *kernel, cnrtKernelInitParam_t, __CNRT_HERE)
    __CNRT_SAY("is_kernel", (int64_t)kernel)
__CNRT cnrtDestroyKernelInitParamAndMemory(cnrtKernelInitParam_t init, __CNRT_HERE)
    __CNRT_SAY("end_params", (int64_t)init)
__CNRT cnrtInvokeKernel_V3(const void *kernel, cnrtKernelInitParam_t, cnrtDim3_t dim,
                           cnrtKernelParamsBuffer_t params, cnrtFunctionType_t type,
                           cnrtQueue_t queue, void *, __CNRT_HERE)
    __CNRT_SAY("invoke", (int64_t)kernel, dim.x, dim.y, dim.z, (int64_t)params, type,
               (int64_t)queue)

static inline __attribute__((unused)) const char *cnrtGetErrorStr(cnrtRet_t error, __CNRT_HERE) {
  const int64_t said[] = {error};
  return (const char *)zhisuan_call("error_text", said, 1, file, line);
}
static inline __attribute__((unused)) const char *cnrtGetErrorName(cnrtRet_t e) {
  return cnrtGetErrorStr(e);
}

// What `kernel<<<dim, type, queue>>>(…)` begins with; clang looks for this name.
static inline __attribute__((unused)) int cudaConfigureCall(cnrtDim3_t dim,
                                                            cnrtFunctionType_t type,
                                                            cnrtQueue_t queue, __CNRT_HERE) {
  const int64_t said[] = {dim.x, dim.y, dim.z, type, (int64_t)queue};
  return (int)zhisuan_call("configure", said, 5, file, line);
}

#ifndef CNRT_CHECK
#define CNRT_CHECK(...)                                                                     \
  do {                                                                                      \
    cnrtRet_t cnrt_checked = (__VA_ARGS__);                                                 \
    if (cnrt_checked != cnrtSuccess) {                                                      \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cnrtGetErrorStr(cnrt_checked));   \
      exit(1);                                                                    \
    }                                                                                       \
  } while (0)
#endif
