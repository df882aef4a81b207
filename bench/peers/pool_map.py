"""How long it takes until all results of a map are there."""

import sys
from time import perf_counter

from array import array

from line_protocol import check, serve
from package import package

what, count = sys.argv[1], int(sys.argv[2])


def identity(n):
    return n


def operation(maps):
    start = perf_counter()
    for _ in range(maps):
        if what == 'large':
            lengths = pool.map(len, arrays)
            check(len(lengths) == count and lengths[-1] == 131_072, 'lengths')
        elif what == 'single':
            check(pool.map(identity, range(count), chunksize=1)[-1] == count - 1, 'numbers')
        else:
            check(pool.map(identity, range(count))[-1] == count - 1, 'numbers')
    return perf_counter() - start


if __name__ == '__main__':
    arrays = [array('d', [1.0]) * 131_072 for _ in range(count)] if what == 'large' else []
    pool = package.get_context('fork').Pool(2)
    serve(operation)
    pool.terminate()
