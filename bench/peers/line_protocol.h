/* The line protocol: answers each `run <count>` with seconds, until the input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(int right, const char *what) {
  if (right) return;
  perror(what);
  exit(1);
}

static void serve(double (*operation)(long count)) {
  long count;
  puts("ready");
  fflush(stdout);
  while (scanf(" run %ld", &count) == 1) {
    printf("%.9g\n", operation(count));
    fflush(stdout);
  }
}
