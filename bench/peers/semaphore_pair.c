#include "line_protocol.h"
#include "share.h"

#include <semaphore.h>

static sem_t *semaphore;

static double operation(long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    sem_wait(semaphore);
    sem_post(semaphore);
  }
  double seconds = now() - start;
  int value;
  check(sem_getvalue(semaphore, &value) == 0 && value == 1, "the semaphore is not as it was");
  return seconds;
}

int main(void) {
  semaphore = share(sizeof *semaphore);
  check(sem_init(semaphore, 1, 1) == 0, "sem_init");
  serve(operation);
}
