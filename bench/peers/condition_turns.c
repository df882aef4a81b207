/* Two processes pass a turn to each other: each waits on the condition until it is its own. */
#define _GNU_SOURCE
#include "line_protocol.h"
#include "partner.h"
#include "share.h"
#include "shared_mutex.h"

enum { OURS, THEIRS };

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  int turn;
} *shared;

static void take(int turn) {
  while (shared->turn != turn) {
    if (pthread_cond_wait(&shared->condition, &shared->mutex) != 0) check(0, "pthread_cond_wait");
  }
}

static void give(int turn) {
  shared->turn = turn;
  pthread_cond_signal(&shared->condition);
}

static void partner(long count) {
  for (long i = 0; i < count; i++) {
    lock(&shared->mutex);
    take(THEIRS);
    give(OURS);
    unlock(&shared->mutex);
  }
}

static double operation(long count) {
  send_partner(count);
  double start = now();
  for (long i = 0; i < count; i++) {
    lock(&shared->mutex);
    give(THEIRS);
    take(OURS);
    unlock(&shared->mutex);
  }
  return (now() - start) / 2;
}

int main(void) {
  pthread_condattr_t attributes;
  shared = share(sizeof *shared);
  make_mutex(&shared->mutex, "robust");
  pthread_condattr_init(&attributes);
  check(pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0, "pshared");
  check(pthread_cond_init(&shared->condition, &attributes) == 0, "pthread_cond_init");
  start_partner(partner);
  serve(operation);
}
