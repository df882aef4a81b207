/* The least that a small block takes that processes allocate under a common lock: malloc and free, each under a robust mutex. */
#include "line_protocol.h"
#include "share.h"
#include "shared_mutex.h"

#define BYTES 64

static pthread_mutex_t *mutex;
static void *volatile block; /* volatile, so that no block is left out */

static double operation(long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    lock(mutex);
    block = malloc(BYTES);
    unlock(mutex);
    lock(mutex);
    free(block);
    unlock(mutex);
  }
  return now() - start;
}

int main(void) {
  mutex = share(sizeof *mutex);
  make_mutex(mutex, "robust");
  serve(operation);
}
