// The runtime by the generic names of the course: each is what cnrt.h has under its own.
#pragma once
#include "cnrt.h"

typedef cnrtRet_t Ret_t;
typedef cnrtDev_t Dev_t;
typedef cnrtDim3_t Dim3_t;
typedef cnrtQueue_t Queue_t;
typedef cnrtNotifier_t Notifier_t;
typedef cnrtFunctionType_t FunctionType_t;
typedef cnrtKernelParamsBuffer_t KernelParamsBuffer_t;
typedef cnrtMemTransDir_t MemcpyDirection_t;
#define RET_SUCCESS cnrtSuccess
#define HOST2DEV cnrtMemcpyHostToDev
#define DEV2HOST cnrtMemcpyDevToHost
#define DEV2DEV cnrtMemcpyDevToDev
#define HOST2HOST cnrtMemcpyHostToHost
#define FUNC_TYPE_BLOCK cnrtFuncTypeBlock
#define FUNC_TYPE_UNION1 cnrtFuncTypeUnion1
#define FUNC_TYPE_UNION2 cnrtFuncTypeUnion2
#define FUNC_TYPE_UNION4 cnrtFuncTypeUnion4
#define FUNC_TYPE_UNION8 cnrtFuncTypeUnion8

// ---- the device ------------------------------------------------------------------------
__CNRT Init(unsigned int flags = 0, __CNRT_HERE) { return cnrtInit(flags, file, line); }
static inline __attribute__((unused)) void Destroy() { cnrtDestroy(); }
__CNRT GetDeviceCount(unsigned int *n, __CNRT_HERE) { return cnrtGetDeviceCount(n, file, line); }
__CNRT GetDeviceHandle(Dev_t *dev, int ordinal, __CNRT_HERE) {
  return cnrtGetDeviceHandle(dev, ordinal, file, line);
}
__CNRT SetCurrentDevice(Dev_t dev, __CNRT_HERE) { return cnrtSetCurrentDevice(dev, file, line); }

// ---- queues and notifiers --------------------------------------------------------------
__CNRT CreateQueue(Queue_t *queue, __CNRT_HERE) { return cnrtQueueCreate(queue, file, line); }
__CNRT SyncQueue(Queue_t queue, __CNRT_HERE) { return cnrtQueueSync(queue, file, line); }
__CNRT DestroyQueue(Queue_t queue, __CNRT_HERE) { return cnrtQueueDestroy(queue, file, line); }
__CNRT CreateNotifier(Notifier_t *n, __CNRT_HERE) { return cnrtNotifierCreate(n, file, line); }
__CNRT PlaceNotifier(Notifier_t n, Queue_t queue, __CNRT_HERE) {
  return cnrtPlaceNotifier(n, queue, file, line);
}
__CNRT WaitNotifier(Notifier_t n, __CNRT_HERE) { return cnrtWaitNotifier(n, file, line); }
__CNRT QueueWaitNotifier(Notifier_t n, Queue_t queue, unsigned int flags = 0, __CNRT_HERE) {
  return cnrtQueueWaitNotifier(n, queue, flags, file, line);
}
// Microseconds.
__CNRT NotifierDuration(Notifier_t start, Notifier_t end, float *us, __CNRT_HERE) {
  return cnrtNotifierDuration(start, end, us, file, line);
}
__CNRT DestroyNotifier(Notifier_t n, __CNRT_HERE) { return cnrtNotifierDestroy(n, file, line); }

// ---- memory ----------------------------------------------------------------------------
__CNRT hostMalloc(void **at, size_t size, __CNRT_HERE) {
  return cnrtHostMalloc(at, size, file, line);
}
__CNRT hostFree(void *at, __CNRT_HERE) { return cnrtFreeHost(at, file, line); }
__CNRT devMalloc(void **at, size_t size, __CNRT_HERE) { return cnrtMalloc(at, size, file, line); }
__CNRT devFree(void *at, __CNRT_HERE) { return cnrtFree(at, file, line); }
__CNRT Memcpy(void *dst, const void *src, size_t size, MemcpyDirection_t dir, __CNRT_HERE) {
  return cnrtMemcpy(dst, src, size, dir, file, line);
}

// ---- launches --------------------------------------------------------------------------
__CNRT GetKernelParamBuffer(KernelParamsBuffer_t *params, __CNRT_HERE) {
  return cnrtGetKernelParamsBuffer(params, file, line);
}
__CNRT KernelParamsBufferAddParam(KernelParamsBuffer_t params, void *value, size_t size,
                                  __CNRT_HERE) {
  return cnrtKernelParamsBufferAddParam(params, value, size, file, line);
}
__CNRT DestroyKernelParamsBuffer(KernelParamsBuffer_t params, __CNRT_HERE) {
  return cnrtDestroyKernelParamsBuffer(params, file, line);
}
__CNRT InvokeKernel(const void *kernel, Dim3_t dim, KernelParamsBuffer_t params,
                    FunctionType_t type, Queue_t queue, __CNRT_HERE) {
  return cnrtInvokeKernel_V2(kernel, dim, params, type, queue, file, line);
}
