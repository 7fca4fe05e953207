// Order within a core, barriers, and stopping.
#pragma once
#include "types.h"

// ---- order -----------------------------------------------------------------------------
__DLP_INLINE void __sync() { __dlp_SYNC(7); }
__DLP_INLINE void __sync_compute() { __dlp_SYNC(1); }
__DLP_INLINE void __sync_io() { __dlp_SYNC(2); }
__DLP_INLINE void __sync_move() { __dlp_SYNC(4); }
__DLP_INLINE void __sync_io_move_compute() { __dlp_SYNC(7); }
// Which queues are waited for, and by which; waiting of some for others becomes waiting of all.
__DLP_INLINE void __sync_io_move_compute(bool io, bool move, bool compute, bool, bool, bool) {
  if (io) __dlp_SYNC(2);
  if (move) __dlp_SYNC(4);
  if (compute) __dlp_SYNC(1);
}
__DLP_INLINE void __sync_copy() { __dlp_SYNC(6); }
// Barriers, no-ops for a task that has no cluster around it.  Special registers: 13 keeps jobs
// apart, 14 is the number of memory cores in each cluster, 15 says whether this is one.
__DLP_INLINE void __dlp_barrier(long long id, long long arrivals) {
  if (arrivals > 1) __dlp_BARRIER(id, __dlp_SGET(13), arrivals);
}
__DLP_INLINE void __sync_cluster() { __dlp_barrier(clusterId, coreDim + __dlp_SGET(14)); }
__DLP_INLINE void __sync_all() {
  __dlp_barrier(clusterDim, clusterDim * (coreDim + __dlp_SGET(14)));
}
__DLP_INLINE void __sync_all_ipu() {
  if (!__dlp_SGET(15)) __dlp_barrier(clusterDim + 1, clusterDim * coreDim);
}
__DLP_INLINE void __sync_all_mpu() {
  if (__dlp_SGET(15)) __dlp_barrier(clusterDim + 2, clusterDim * __dlp_SGET(14));
}
__DLP_INLINE void __sync_all_ipu_within_cluster() {
  if (!__dlp_SGET(15)) __dlp_barrier(clusterDim + 3 + clusterId, coreDim);
}

// ---- stopping --------------------------------------------------------------------------
__DLP_INLINE void __assert(bool holds) { if (!holds) __dlp_TRAP(1); }
__DLP_INLINE void __assert(const char *, const char *, int) { __dlp_TRAP(1); }
__DLP_INLINE void __assert_fail(const char *, const char *, unsigned, const char *) {
  __dlp_TRAP(1);
}
__DLP_INLINE void __abort() { __dlp_TRAP(2); }
__DLP_INLINE void __bang_lock(int id, int = 0) { __dlp_SYNC(7); __dlp_LOCK(id); }
__DLP_INLINE void __bang_unlock(int id, int = 0) { __dlp_SYNC(7); __dlp_UNLOCK(id); }
