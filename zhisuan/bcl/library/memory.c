// The memory and string functions of C.
typedef unsigned long size_t;
typedef unsigned char byte;

void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((byte *)to)[i] = ((const byte *)from)[i];
  return to;
}

void *mempcpy(void *to, const void *from, size_t n) { return (byte *)memcpy(to, from, n) + n; }

void *memmove(void *to, const void *from, size_t n) {
  byte *a = to;
  const byte *b = from;
  if (a <= b)
    for (size_t i = 0; i < n; i++) a[i] = b[i];
  else
    for (size_t i = n; i > 0; i--) a[i - 1] = b[i - 1];
  return to;
}

void bcopy(const void *from, void *to, size_t n) { memmove(to, from, n); }

void *memset(void *to, int value, size_t n) {
  for (size_t i = 0; i < n; i++) ((byte *)to)[i] = (byte)value;
  return to;
}

void bzero(void *to, size_t n) { memset(to, 0, n); }

int memcmp(const void *a, const void *b, size_t n) {
  const byte *x = a, *y = b;
  for (size_t i = 0; i < n; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

int bcmp(const void *a, const void *b, size_t n) { return memcmp(a, b, n); }

void *memchr(const void *in, int value, size_t n) {
  const byte *x = in;
  for (size_t i = 0; i < n; i++)
    if (x[i] == (byte)value) return (void *)(x + i);
  return 0;
}

size_t strlen(const char *s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}

size_t strnlen(const char *s, size_t most) {
  size_t n = 0;
  while (n < most && s[n]) n++;
  return n;
}

int strncmp(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (a[i] != b[i]) return (byte)a[i] - (byte)b[i];
    if (!a[i]) return 0;
  }
  return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, ~(size_t)0); }

char *stpcpy(char *to, const char *from) {
  while ((*to = *from++)) to++;
  return to;
}

char *strcpy(char *to, const char *from) {
  stpcpy(to, from);
  return to;
}

char *strncpy(char *to, const char *from, size_t n) {
  size_t used = strnlen(from, n);
  memcpy(to, from, used);
  memset(to + used, 0, n - used);
  return to;
}

char *strcat(char *to, const char *from) {
  strcpy(to + strlen(to), from);
  return to;
}

char *strncat(char *to, const char *from, size_t n) {
  size_t start = strlen(to), used = strnlen(from, n);
  memcpy(to + start, from, used);
  to[start + used] = 0;
  return to;
}

char *strchr(const char *s, int value) {
  for (;; s++) {
    if (*s == (char)value) return (char *)s;
    if (!*s) return 0;
  }
}

char *index(const char *s, int value) { return strchr(s, value); }

char *strrchr(const char *s, int value) {
  const char *last = 0;
  for (;; s++) {
    if (*s == (char)value) last = s;
    if (!*s) return (char *)last;
  }
}

char *rindex(const char *s, int value) { return strrchr(s, value); }

size_t strspn(const char *s, const char *of) {
  size_t n = 0;
  while (s[n] && strchr(of, s[n])) n++;
  return n;
}

size_t strcspn(const char *s, const char *of) {
  size_t n = 0;
  while (s[n] && !strchr(of, s[n])) n++;
  return n;
}

char *strpbrk(const char *s, const char *of) {
  s += strcspn(s, of);
  return *s ? (char *)s : 0;
}

char *strstr(const char *in, const char *what) {
  size_t n = strlen(what);
  for (;; in++) {
    if (strncmp(in, what, n) == 0) return (char *)in;
    if (!*in) return 0;
  }
}

int abs(int a) { return a < 0 ? -a : a; }
long labs(long a) { return a < 0 ? -a : a; }
long long llabs(long long a) { return a < 0 ? -a : a; }
