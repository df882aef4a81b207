/*
 * Ten words changed under a robust mutex. With argument
 *   plain   the stores alone
 *   logged  each after the undo log in shared memory has its address, its old value, and one entry more; committed by
 *           one store: the very stores of our side
 */
#include "line_protocol.h"
#include "share.h"
#include "shared_mutex.h"

enum { WORDS = 10 };

static struct {
  pthread_mutex_t mutex;
  _Alignas(64) volatile int sequence;
  _Alignas(64) volatile int words[WORDS];
  _Alignas(64) volatile int length;
  volatile int log[2 * WORDS];
} *shared;
static int logged;
static int value;

static void change(int word) {
  if (logged) {
    int length = shared->length;
    shared->log[2 * length] = word;
    shared->log[2 * length + 1] = shared->words[word];
    shared->length = length + 1;
  }
  shared->words[word] = value;
}

static double operation(long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    value++;
    lock(&shared->mutex);
    shared->sequence = (shared->sequence + 1) | 1;
    for (int word = 0; word < WORDS; word++) change(word);
    shared->length = 0;
    shared->sequence = (shared->sequence + 1) & ~1;
    unlock(&shared->mutex);
  }
  double seconds = now() - start;
  for (int word = 0; word < WORDS; word++) check(shared->words[word] == value, "a word was not written");
  return seconds;
}

int main(int count, char **arguments) {
  logged = count > 1 && strcmp(arguments[1], "logged") == 0;
  shared = share(sizeof *shared);
  make_mutex(&shared->mutex, "robust");
  serve(operation);
}
