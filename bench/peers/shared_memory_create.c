/* The least that making and removing a block takes: with memory that is reserved, and mapped only when it is written. */
#include "line_protocol.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES 4096

static int write_byte;
static long made;

static double operation(long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    char name[64];
    snprintf(name, sizeof name, "/bench_%d_%ld", (int)getpid(), made++);
    int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    check(file >= 0, "shm_open");
    check(posix_fallocate(file, 0, BYTES) == 0, "posix_fallocate");
    if (write_byte) {
      volatile char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      check(memory != MAP_FAILED, "mmap");
      memory[0] = 1;
      check(munmap((void *)memory, BYTES) == 0, "munmap");
    }
    check(close(file) == 0, "close");
    check(shm_unlink(name) == 0, "shm_unlink");
  }
  return now() - start;
}

int main(int count, char **arguments) {
  write_byte = count > 1 && strcmp(arguments[1], "written") == 0;
  serve(operation);
}
