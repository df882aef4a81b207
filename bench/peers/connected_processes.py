"""connected_processes.py <how many>: a count of operations is divided among processes that share a managed dict"""

import sys
from time import perf_counter

from line_protocol import serve
from package import package

ENTRIES = 1000


def work(shared, told):
    told.send('ready')
    while True:
        count = told.recv()
        if count == 0:
            return
        for i in range(count):
            if i % 2 == 0:
                shared[i % ENTRIES]
            else:
                shared[i % ENTRIES] = i
        told.send('done')


def main():
    with package.Manager() as manager:
        shared = manager.dict({i: i for i in range(ENTRIES)})
        ends = []
        children = []
        for _ in range(int(sys.argv[1])):
            ours, theirs = package.Pipe()
            child = package.Process(target=work, args=(shared, theirs))
            child.start()
            children.append(child)
            ends.append(ours)
        for end in ends:
            end.recv()

        def operation(count):
            each = -(-count // len(ends))
            start = perf_counter()
            for end in ends:
                end.send(each)
            for end in ends:
                end.recv()
            return (perf_counter() - start) * count / (each * len(ends))

        serve(operation)
        for end in ends:
            end.send(0)
        for child in children:
            child.join()


if __name__ == '__main__':
    main()
