"""managed.py <work>: objects of a manager, from the process that has started it"""

import sys
from time import perf_counter

from line_protocol import check, serve
from package import package

ENTRIES = 1000
MOST_ITEMS = 50_000


def small_object(i):
    return {'id': i, 'name': 'a name'}


def main():
    with package.Manager() as manager:
        shared_dict = manager.dict({i: small_object(i) for i in range(ENTRIES)})
        shared_list = manager.list(range(ENTRIES))
        namespace = manager.Namespace()
        namespace.x = 0
        lock = manager.Lock()

        def dict_get(i):
            check(shared_dict[i % ENTRIES] is not None, 'an entry is missing')

        def dict_set(i):
            shared_dict[i % ENTRIES] = small_object(i)

        def list_append(i):
            shared_list.append(i)
            if i % MOST_ITEMS == MOST_ITEMS - 1:
                shared_list[ENTRIES:] = []

        def list_get(i):
            check(shared_list[i % ENTRIES] == i % ENTRIES, 'another item')

        def namespace_get(_):
            check(namespace.x >= 0, 'a property is missing')

        def namespace_set(i):
            namespace.x = i

        def lock_pair(_):
            lock.acquire()
            lock.release()

        def make(_):
            manager.dict()

        work = {
            'dict get': dict_get,
            'dict set': dict_set,
            'list append': list_append,
            'list get': list_get,
            'namespace get': namespace_get,
            'namespace set': namespace_set,
            'lock pair': lock_pair,
            'make': make,
        }[sys.argv[1]]

        def operation(count):
            start = perf_counter()
            for i in range(count):
                work(i)
            return perf_counter() - start

        serve(operation)


if __name__ == '__main__':
    main()
