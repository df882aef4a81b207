import sys
from time import perf_counter

from line_protocol import check, serve
from package import package

shared = package.Semaphore(1)


def acquire(count):
    semaphore = shared
    start = perf_counter()
    for _ in range(count):
        semaphore.acquire()
        semaphore.release()
    return perf_counter() - start


def enter(count):
    semaphore = shared
    start = perf_counter()
    for _ in range(count):
        with semaphore:
            pass
    return perf_counter() - start


serve({'acquire': acquire, 'enter': enter}[sys.argv[1]])
check(shared.get_value() == 1, 'the semaphore is not as it was')
