import sys
from time import perf_counter

from line_protocol import check, serve
from package import package

shared = package.RLock() if sys.argv[1] == 'RLock' else package.Lock()


def acquire(count):
    lock = shared
    start = perf_counter()
    for _ in range(count):
        lock.acquire()
        lock.release()
    return perf_counter() - start


def enter(count):
    lock = shared
    start = perf_counter()
    for _ in range(count):
        with lock:
            pass
    return perf_counter() - start


def try_to_acquire(count):
    lock = shared
    missed = 0
    start = perf_counter()
    for _ in range(count):
        if not lock.acquire(False):
            missed += 1
        lock.release()
    seconds = perf_counter() - start
    check(missed == 0, 'a free lock was not acquired')
    return seconds


serve({'acquire': acquire, 'enter': enter, 'try': try_to_acquire}[sys.argv[2]])
