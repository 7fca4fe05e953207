// Functions that a compiled host program calls: each passes on to the runtime, in Python.
// `zhisuan_call` is what cnrt.h calls; the others are what clang makes of `<<<…>>>`.
#include <stddef.h>
#include <stdint.h>

typedef int64_t (*Runtime)(const char *name, const int64_t *args, int64_t count,
                           const char *file, int64_t line);
static Runtime runtime;

void zhisuan_serve(Runtime with) { runtime = with; }

int64_t zhisuan_call(const char *name, const int64_t *args, int64_t count, const char *file,
                     int64_t line) {
  return runtime(name, args, count, file, line);
}

int cudaSetupArgument(const void *value, size_t size, size_t offset) {
  const int64_t args[] = {(int64_t)value, (int64_t)size, (int64_t)offset};
  return (int)runtime("argument", args, 3, "", 0);
}

int cudaLaunch(const void *stub) {
  const int64_t args[] = {(int64_t)stub};
  return (int)runtime("launch", args, 1, "", 0);
}

// The C library has this one only for programs that are linked with its static part.
int __cxa_atexit(void (*done)(void *), void *with, void *library);
int atexit(void (*done)(void)) { return __cxa_atexit((void (*)(void *))done, NULL, NULL); }

// ---- what a shared object says of the programs it carries, when it is loaded -------------
typedef struct {
  int magic, version;
  const void *data, *unused;
} Carried;

void **__cudaRegisterFatBinary(const Carried *carried) {
  const int64_t args[] = {(int64_t)carried->data};
  return (void **)runtime("program", args, 1, "", 0);
}

int __cudaRegisterFunction(void **program, const void *stub, const char *device,
                           const char *name, int limit, void *a, void *b, void *c, void *d,
                           int *e) {
  const int64_t args[] = {(int64_t)program, (int64_t)stub, (int64_t)name};
  (void)device, (void)limit, (void)a, (void)b, (void)c, (void)d, (void)e;
  return (int)runtime("kernel", args, 3, "", 0);
}

void __cudaRegisterVar(void **program, void *host, char *device, const char *name, int external,
                       size_t size, int constant, int global) {
  (void)program, (void)host, (void)device, (void)name, (void)external, (void)size;
  (void)constant, (void)global;
}

void __cudaUnregisterFatBinary(void **program) { (void)program; }
