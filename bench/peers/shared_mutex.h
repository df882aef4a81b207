/* A mutex between processes; a robust one is told of its owner's death. */
#include <pthread.h>
#include <string.h>

static void make_mutex(pthread_mutex_t *mutex, const char *kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  check(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0, "pshared");
  if (strcmp(kind, "robust") == 0) {
    check(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0, "robust");
  }
  check(pthread_mutex_init(mutex, &attributes) == 0, "pthread_mutex_init");
}

static void lock(pthread_mutex_t *mutex) {
  if (pthread_mutex_lock(mutex) != 0) check(0, "pthread_mutex_lock");
}

static void unlock(pthread_mutex_t *mutex) {
  if (pthread_mutex_unlock(mutex) != 0) check(0, "pthread_mutex_unlock");
}
