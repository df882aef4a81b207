/*
 * Two processes pass a turn to each other by one word. How long one passing takes, with argument
 *   spinning  when both look at the word all the time: half a round trip
 *   sleeping  when both sleep on the word at once, without looking any longer: half a round trip
 *   parked    when the turn is kept until the other sleeps for certain: from the store to the woken one, the median
 */
#define _GNU_SOURCE
#include "line_protocol.h"
#include "partner.h"
#include "share.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

/* As long as our side's; see lock-hand-over.ts. */
#define PARKED_SECONDS 200e-6

enum { OURS, THEIRS };
static enum { SPINNING, SLEEPING, PARKED } mode;
static struct {
  _Alignas(64) atomic_int turn;
  _Alignas(64) double passed;
} *shared;

static void take(int turn) {
  int seen;
  while ((seen = shared->turn) != turn) {
    if (mode != SPINNING) syscall(SYS_futex, &shared->turn, FUTEX_WAIT, seen, NULL, NULL, 0);
  }
}

static void pass(int turn) {
  if (mode == PARKED) {
    for (double start = now(); now() - start < PARKED_SECONDS;) continue;
    shared->passed = now();
  }
  shared->turn = turn;
  if (mode != SPINNING) syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void partner(long count) {
  for (long i = 0; i < count; i++) {
    take(THEIRS);
    pass(OURS);
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double operation(long count) {
  double *delays = malloc(count * sizeof *delays);
  check(delays != NULL, "malloc");
  send_partner(count);
  double start = now();
  for (long i = 0; i < count; i++) {
    pass(THEIRS);
    take(OURS);
    if (mode == PARKED) delays[i] = now() - shared->passed;
  }
  double seconds = (now() - start) / 2;
  if (mode == PARKED) {
    qsort(delays, count, sizeof *delays, compare);
    seconds = count * (delays[(count - 1) / 2] + delays[count / 2]) / 2;
  }
  free(delays);
  return seconds;
}

int main(int count, char **arguments) {
  check(count > 1, "argument");
  mode = strcmp(arguments[1], "spinning") == 0 ? SPINNING : strcmp(arguments[1], "sleeping") == 0 ? SLEEPING : PARKED;
  shared = share(sizeof *shared);
  start_partner(partner);
  serve(operation);
}
