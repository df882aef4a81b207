/* A second process that works while `run` runs, and sleeps otherwise. A program that includes this defines _GNU_SOURCE. */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static int to_partner[2];

enum { FIRST, LAST };

/* Each of the two has a processor of its own; as on our side. */
static void bind_to(int which) {
  cpu_set_t allowed, one;
  check(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || (which == FIRST && CPU_COUNT(&one) > 0)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
  }
  check(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

/* The partner does `work(count)` for each count it is sent, and ends when this process does. */
static void start_partner(void (*work)(long count)) {
  check(pipe(to_partner) == 0, "pipe");
  pid_t pid = fork();
  check(pid >= 0, "fork");
  bind_to(pid > 0 ? FIRST : LAST);
  if (pid > 0) return;
  close(to_partner[1]);
  /* It may be spinning when this process is killed. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  long count;
  while (read(to_partner[0], &count, sizeof count) == sizeof count) work(count);
  _exit(0);
}

static void send_partner(long count) {
  check(write(to_partner[1], &count, sizeof count) == sizeof count, "write");
}
