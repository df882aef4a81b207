#include "line_protocol.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t bytes;
/* One operation copies so much of it, piece after piece. */
static size_t piece;
static unsigned char *source;
static unsigned char *volatile target; /* volatile, so that no copy is left out */
static unsigned char mark;

/* Each piece goes to memory of its own that the kernel has yet to give, as what a receiver keeps does. */
static double to_fresh(long count) {
  size_t pieces = bytes / piece;
  double start = now();
  for (long i = 0; i < count; i++) {
    unsigned char *volatile fresh = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(fresh != MAP_FAILED, "mmap");
    memcpy(fresh, source + i % pieces * piece, piece);
    check(fresh[piece - 1] == source[0], "the copy differs");
    munmap(fresh, piece);
  }
  return now() - start;
}

static double operation(long count) {
  source[0] = source[bytes - 1] = ++mark;
  double start = now();
  size_t pieces = bytes / piece;
  for (long i = 0; i < count; i++) memcpy(target + i % pieces * piece, source + i % pieces * piece, piece);
  double seconds = now() - start;
  check((size_t)count < pieces || (target[0] == mark && target[bytes - 1] == mark), "the copy differs");
  return seconds;
}

int main(int count, char **arguments) {
  char name[64];
  bytes = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
  piece = count > 2 ? strtoul(arguments[2], NULL, 10) : bytes;
  source = malloc(bytes);
  check(bytes > 0 && piece > 0 && source != NULL, "malloc");
  memset(source, 7, bytes);
  if (count > 3 && strcmp(arguments[3], "fresh") == 0) {
    serve(to_fresh);
    return 0;
  }
  snprintf(name, sizeof name, "/bench_%d", (int)getpid());
  int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  check(file >= 0, "shm_open");
  check(shm_unlink(name) == 0, "shm_unlink");
  check(posix_fallocate(file, 0, bytes) == 0, "posix_fallocate");
  target = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  check(target != MAP_FAILED, "mmap");
  memcpy(target, source, bytes);
  serve(operation);
}
