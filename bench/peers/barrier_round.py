"""Two processes meet at a barrier, again and again."""

from time import perf_counter

from line_protocol import serve
from partner import context, start_partner

barrier = context.Barrier(2)
goal = context.RawValue('q', 0)
started = context.Semaphore(0)


def meet(count):
    for _ in range(count):
        barrier.wait()


def partner():
    while True:
        started.acquire()
        meet(goal.value)


def operation(count):
    goal.value = count
    started.release()
    start = perf_counter()
    meet(count)
    return perf_counter() - start


start_partner(partner)
serve(operation)
