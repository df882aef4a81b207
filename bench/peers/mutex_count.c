/* Two processes count together to a number, each step under the mutex. */
#define _GNU_SOURCE
#include "line_protocol.h"
#include "partner.h"
#include "share.h"
#include "shared_mutex.h"

#include <stdatomic.h>

static struct {
  /* Beside each other, as a program would have them. */
  pthread_mutex_t mutex;
  long counter;
  _Alignas(64) atomic_int ready;
  _Alignas(64) atomic_int go;
  _Alignas(64) long theirs;
  atomic_int done;
} *shared;

static long count_to(long goal) {
  for (long mine = 0;; mine++) {
    lock(&shared->mutex);
    long seen = shared->counter;
    if (seen < goal) shared->counter = seen + 1;
    unlock(&shared->mutex);
    if (seen >= goal) return mine;
  }
}

static void partner(long goal) {
  shared->ready = 1;
  while (!shared->go) continue;
  shared->theirs = count_to(goal);
  shared->done = 1;
}

static double operation(long count) {
  shared->counter = 0;
  shared->ready = shared->go = shared->done = 0;
  send_partner(count);
  while (!shared->ready) continue;
  double start = now();
  shared->go = 1;
  long mine = count_to(count);
  double seconds = now() - start;
  while (!shared->done) continue;
  check(mine + shared->theirs == count && shared->counter == count, "the counts differ");
  return seconds;
}

int main(int count, char **arguments) {
  shared = share(sizeof *shared);
  make_mutex(&shared->mutex, count > 1 ? arguments[1] : "plain");
  start_partner(partner);
  serve(operation);
}
