"""Two processes count together to a number, each step under the lock."""

import sys
from time import perf_counter

from line_protocol import check, serve
from partner import context, start_partner

COUNTER, GOAL, READY, GO, THEIRS, WORDS = 0, 16, 32, 48, 64, 80

lock = context.RLock() if sys.argv[1] == 'RLock' else context.Lock()
words = context.RawArray('q', WORDS)
started = context.Semaphore(0)
done = context.Semaphore(0)


def count_to(goal):
    mine = 0
    while True:
        lock.acquire()
        seen = words[COUNTER]
        if seen < goal:
            words[COUNTER] = seen + 1
        lock.release()
        if seen >= goal:
            return mine
        mine += 1


def partner():
    while True:
        started.acquire()
        words[READY] = 1
        while not words[GO]:
            pass
        words[THEIRS] = count_to(words[GOAL])
        done.release()


def operation(count):
    words[COUNTER], words[GOAL], words[READY], words[GO] = 0, count, 0, 0
    started.release()
    while not words[READY]:
        pass
    start = perf_counter()
    words[GO] = 1
    mine = count_to(count)
    seconds = perf_counter() - start
    done.acquire()
    check(mine + words[THEIRS] == count == words[COUNTER], 'the counts differ')
    return seconds


start_partner(partner)
serve(operation)
