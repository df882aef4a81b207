import sys
from multiprocessing import Manager
from time import perf_counter

from line_protocol import check, serve

LENGTH = 1000
kind = sys.argv[1]


def main():
    with Manager() as manager:
        shared = manager.list(range(LENGTH))

        def append(count):
            start = perf_counter()
            for i in range(count):
                shared.append(i)
            seconds = perf_counter() - start
            check(shared[LENGTH] == 0, 'the first one appended is not there')
            shared[LENGTH:] = []
            return seconds

        def get(count):
            start = perf_counter()
            total = 0
            for i in range(count):
                total += shared[i % LENGTH]
            seconds = perf_counter() - start
            check(total >= count - LENGTH, f'a sum of {total}')
            return seconds

        def iterate(count):
            start = perf_counter()
            total = done = 0
            while done < count:
                for value in shared:
                    total += value
                    done += 1
                    if done == count:
                        break
            seconds = perf_counter() - start
            check(total >= count - LENGTH, f'a sum of {total}')
            return seconds

        serve({'append': append, 'get': get, 'iterate': iterate}[kind])


if __name__ == '__main__':
    main()
