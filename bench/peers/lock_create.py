"""Makes a lock and lets go of it, which ends it."""

from time import perf_counter

from line_protocol import serve
from package import package


def operation(count):
    start = perf_counter()
    for _ in range(count):
        lock = package.Lock()
        del lock
    return perf_counter() - start


serve(operation)
