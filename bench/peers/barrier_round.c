/* Two processes meet at a barrier, again and again. */
#define _GNU_SOURCE
#include "line_protocol.h"
#include "partner.h"
#include "share.h"

#include <pthread.h>

static pthread_barrier_t *barrier;

static void meet(long count) {
  for (long i = 0; i < count; i++) pthread_barrier_wait(barrier);
}

static double operation(long count) {
  send_partner(count);
  double start = now();
  meet(count);
  return now() - start;
}

int main(void) {
  pthread_barrierattr_t attributes;
  barrier = share(sizeof *barrier);
  pthread_barrierattr_init(&attributes);
  check(pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0, "pshared");
  check(pthread_barrier_init(barrier, &attributes, 2) == 0, "pthread_barrier_init");
  start_partner(meet);
  serve(operation);
}
