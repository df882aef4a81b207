#include "line_protocol.h"
#include "share.h"
#include "shared_mutex.h"

static pthread_mutex_t *mutex;

static double operation(long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    lock(mutex);
    unlock(mutex);
  }
  return now() - start;
}

int main(int count, char **arguments) {
  mutex = share(sizeof *mutex);
  make_mutex(mutex, count > 1 ? arguments[1] : "plain");
  serve(operation);
}
