import sys
from time import perf_counter

from line_protocol import check, serve
from package import package

LENGTH = 1000

array = package.RawArray('d', LENGTH) if sys.argv[1] == 'raw' else package.Array('d', LENGTH)
total = 0


def operation(count):
    global total
    a = array
    left = count
    start = perf_counter()
    while left > 0:
        for i in range(min(left, LENGTH)):
            a[i] += 1
        left -= LENGTH
    seconds = perf_counter() - start
    total += count
    check(sum(a[:]) == total, f'{sum(a[:])} instead of {total}')
    return seconds


serve(operation)
