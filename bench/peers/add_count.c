/* Adds 1 to a word by one atomic instruction: alone, or with argument `contended` together with another process. */
#define _GNU_SOURCE
#include "line_protocol.h"
#include "partner.h"
#include "share.h"

#include <stdatomic.h>
#include <string.h>

static struct {
  _Alignas(64) atomic_int counter;
  _Alignas(64) atomic_int ready;
  _Alignas(64) atomic_int go;
  _Alignas(64) long theirs;
  atomic_int done;
} *shared;

static long count_to(long goal) {
  long mine = 0;
  while (atomic_fetch_add(&shared->counter, 1) < goal) mine++;
  return mine;
}

static void partner(long goal) {
  shared->ready = 1;
  while (!shared->go) continue;
  shared->theirs = count_to(goal);
  shared->done = 1;
}

static double alone(long count) {
  shared->counter = 0;
  double start = now();
  long mine = count_to(count);
  double seconds = now() - start;
  check(mine == count, "somebody else counted");
  return seconds;
}

static double contended(long count) {
  shared->counter = shared->ready = shared->go = shared->done = 0;
  send_partner(count);
  while (!shared->ready) continue;
  double start = now();
  shared->go = 1;
  long mine = count_to(count);
  double seconds = now() - start;
  while (!shared->done) continue;
  check(mine + shared->theirs == count, "the counts differ");
  return seconds;
}

int main(int count, char **arguments) {
  int together = count > 1 && strcmp(arguments[1], "contended") == 0;
  shared = share(sizeof *shared);
  if (together) start_partner(partner);
  serve(together ? contended : alone);
}
