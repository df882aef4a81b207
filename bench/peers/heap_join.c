/* The least that taking part in a file of shared memory takes: opened, mapped, a byte locked, and all let go of. */
#define _GNU_SOURCE
#include "line_protocol.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES (1 << 20)

static char name[64];

static double operation(long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    struct stat facts;
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i % 512, .l_len = 1};
    int file = shm_open(name, O_RDWR, 0);
    check(file >= 0, "shm_open");
    check(fstat(file, &facts) == 0 && facts.st_size == BYTES, "fstat");
    volatile int *words = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    check(words != MAP_FAILED, "mmap");
    check(fcntl(file, F_OFD_SETLK, &byte) == 0, "fcntl");
    words[0]++;
    check(munmap((void *)words, BYTES) == 0, "munmap");
    check(close(file) == 0, "close");
  }
  return now() - start;
}

int main(void) {
  snprintf(name, sizeof name, "/bench_%d", (int)getpid());
  int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  check(file >= 0, "shm_open");
  check(posix_fallocate(file, 0, BYTES) == 0, "posix_fallocate");
  check(close(file) == 0, "close");
  serve(operation);
  check(shm_unlink(name) == 0, "shm_unlink");
}
