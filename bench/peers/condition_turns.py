"""Two processes pass a turn to each other: each waits on the condition until it is its own."""

from time import perf_counter

from line_protocol import serve
from partner import context, start_partner

OURS, THEIRS = 0, 1

condition = context.Condition()
turn = context.RawValue('i', OURS)


def take(mine):
    while turn.value != mine:
        condition.wait()


def give(other):
    turn.value = other
    condition.notify()


def partner():
    while True:
        with condition:
            take(THEIRS)
            give(OURS)


def operation(count):
    start = perf_counter()
    for _ in range(count):
        with condition:
            give(THEIRS)
            take(OURS)
    return (perf_counter() - start) / 2


start_partner(partner)
serve(operation)
