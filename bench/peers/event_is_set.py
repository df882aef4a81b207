from time import perf_counter

from line_protocol import check, serve
from package import package

shared = package.Event()
shared.set()


def operation(count):
    event = shared
    missed = 0
    start = perf_counter()
    for _ in range(count):
        if not event.is_set():
            missed += 1
    seconds = perf_counter() - start
    check(missed == 0, 'the event is not set')
    return seconds


serve(operation)
