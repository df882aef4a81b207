import sys
from time import perf_counter

from line_protocol import check, serve
from package import shared_memory

first = 2.5 if sys.argv[1] == 'float' else 2
shared = shared_memory.ShareableList([1, first, 3])
expected = first


def operation(count):
    global expected
    list_ = shared
    start = perf_counter()
    for _ in range(count):
        list_[1] = list_[1] + 1
    seconds = perf_counter() - start
    expected += count
    check(shared[1] == expected, f'{shared[1]} instead of {expected}')
    return seconds


try:
    serve(operation)
finally:
    shared.shm.close()
    shared.shm.unlink()
