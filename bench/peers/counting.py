"""Two processes count together to a number: an operation is a step, whoever makes it."""

from time import perf_counter

from line_protocol import check, serve
from partner import context, start_partner

# Each in a cache line of its own.
GOAL, READY, GO, THEIRS, WORDS = 0, 16, 32, 48, 64

words = context.RawArray('q', WORDS)
started = context.Semaphore(0)
done = context.Semaphore(0)


def serve_counting(start_anew, count_to):
    """`count_to(goal)` counts until the goal is reached and returns how many steps were this process's."""

    def partner():
        while True:
            started.acquire()
            words[READY] = 1
            while not words[GO]:
                pass
            words[THEIRS] = count_to(words[GOAL])
            done.release()

    def operation(count):
        start_anew()
        words[GOAL], words[READY], words[GO] = count, 0, 0
        started.release()
        while not words[READY]:
            pass
        start = perf_counter()
        words[GO] = 1
        mine = count_to(count)
        seconds = perf_counter() - start
        done.acquire()
        check(mine + words[THEIRS] == count, 'the counts differ')
        return seconds

    start_partner(partner)
    serve(operation)
