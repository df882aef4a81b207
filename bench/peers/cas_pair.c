/* The least that a lock takes: from free to taken and back. */
#include "line_protocol.h"
#include "share.h"

#include <stdatomic.h>

static _Atomic int *word;

static double operation(long count) {
  long missed = 0;
  double start = now();
  for (long i = 0; i < count; i++) {
    int free = 0, taken = 1;
    missed += !atomic_compare_exchange_strong(word, &free, 1);
    missed += !atomic_compare_exchange_strong(word, &taken, 0);
  }
  double seconds = now() - start;
  check(missed == 0, "somebody else wrote");
  return seconds;
}

int main(void) {
  word = share(sizeof *word);
  serve(operation);
}
