"""Two processes pass a turn to each other; anybody may release these locks, so two of them do."""

from time import perf_counter

from line_protocol import serve
from partner import context, start_partner

ours = context.Lock()
theirs = context.Lock()
ours.acquire()
theirs.acquire()


def partner():
    while True:
        theirs.acquire()
        ours.release()


def operation(count):
    start = perf_counter()
    for _ in range(count):
        theirs.release()
        ours.acquire()
    return (perf_counter() - start) / 2


start_partner(partner)
serve(operation)
