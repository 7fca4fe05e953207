#pragma once
#include "cnrt.h"
void fill(int *device, int n, cnrtQueue_t queue);
