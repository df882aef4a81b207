from time import perf_counter

from line_protocol import check, serve
from package import package

value = package.Value('i', 0)


def operation(count):
    v = value
    v.value = 0
    start = perf_counter()
    for _ in range(count):
        with v.get_lock():
            v.value += 1
    seconds = perf_counter() - start
    check(v.value == count, f'{v.value} instead of {count}')
    return seconds


serve(operation)
