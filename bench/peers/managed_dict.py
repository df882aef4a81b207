"""managed_dict.py get|set|has|delete|iterate number|object"""

import sys
from time import perf_counter

from line_protocol import check, serve
from package import package

ENTRIES = 1000
STRIDE = 7919


def make(value, i):
    return {'id': i, 'name': 'a name'} if value == 'object' else i


def main():
    work, value = sys.argv[1:3]
    manager = package.Manager()
    shared = manager.dict({i: make(value, i) for i in range(ENTRIES)})

    def operation(count):
        key = 0
        found = 0
        start = perf_counter()
        if work == 'get':
            for _ in range(count):
                key = (key + STRIDE) % ENTRIES
                if shared[key] is not None:
                    found += 1
        elif work == 'has':
            for _ in range(count):
                key = (key + STRIDE) % ENTRIES
                if key in shared:
                    found += 1
        elif work == 'delete':
            for i in range(count):
                key = (key + STRIDE) % ENTRIES
                del shared[key]
                shared[key] = make(value, i)
            found = count
        elif work == 'iterate':
            rounds = -(-count // ENTRIES)
            for _ in range(rounds):
                for _, item in shared.items():
                    if item is not None:
                        found += 1
            seconds = perf_counter() - start
            check(found == rounds * ENTRIES, 'an entry is missing')
            return seconds * count / found
        else:
            for i in range(count):
                key = (key + STRIDE) % ENTRIES
                shared[key] = make(value, i)
            found = count
        seconds = perf_counter() - start
        check(found == count, 'an entry is missing')
        return seconds

    serve(operation)


if __name__ == '__main__':
    main()
