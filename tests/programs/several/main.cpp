// A program of three files; prints, with STEP 7:
//   0 14 28 42 56
#include <cstdio>
#include "kernels.h"
extern "C" void twice(int *device, int n);

int main() {
  int host[5], *device;
  cnrtQueue_t queue;
  CNRT_CHECK(cnrtQueueCreate(&queue));
  CNRT_CHECK(cnrtMalloc(&device, sizeof(host)));
  fill(device, 5, queue);
  twice(device, 5);
  CNRT_CHECK(cnrtMemcpy(host, device, sizeof(host), cnrtMemcpyDevToHost));
  for (int i = 0; i < 5; i++) printf("%d%c", host[i], i < 4 ? ' ' : '\n');
}
