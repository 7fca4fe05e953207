// The library's user: it knows no kernel.
#include <stdio.h>
#include "kernel.h"
int main() {
  const size_t n = 5000;
  static float x[n];
  for (size_t i = 0; i < n; i++) x[i] = i % 10;
  float *a, *b, sum = 0;
  if (cnrtMalloc((void **)&a, sizeof(x)) || cnrtMalloc((void **)&b, sizeof(x))) return 1;
  cnrtMemcpy(a, x, sizeof(x), cnrtMemcpyHostToDev);
  cnrtQueue_t queue;
  cnrtQueueCreate(&queue);
  cnrtDim3_t dim = {4, 1, 1};
  libStatus_t status = Scale(dim, cnrtFuncTypeUnion1, queue, LIB_DTYPE_FLOAT, a, b, 0.5f, n);
  cnrtMemset(a, 0, sizeof(float));
  if (status == LIB_STATUS_SUCCESS) status = Sum(dim, cnrtFuncTypeBlock, queue, b, a, n);
  cnrtQueueSync(queue);
  cnrtMemcpy(&sum, a, sizeof(sum), cnrtMemcpyDevToHost);
  printf("status %d, sum %g\n", status, sum);
  status = Scale(dim, cnrtFuncTypeUnion1, queue, (libDataType_t)7, a, b, 1, n);
  printf("of an unknown type: %d\n", status);
  return cnrtQueueDestroy(queue);
}
