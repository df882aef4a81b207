"""managed_namespace.py get|set"""

import sys
from time import perf_counter

from line_protocol import check, serve
from package import package


def main():
    work = sys.argv[1]
    manager = package.Manager()
    shared = manager.Namespace(name='a name', count=1, done=False)

    def operation(count):
        total = 0
        if work == 'get':
            shared.count = 1
        start = perf_counter()
        if work == 'get':
            for _ in range(count):
                total += shared.count
        else:
            for i in range(count):
                shared.count = i
        seconds = perf_counter() - start
        check(total == count if work == 'get' else shared.count == count - 1, 'another number')
        return seconds

    serve(operation)


if __name__ == '__main__':
    main()
