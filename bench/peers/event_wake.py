"""How long after `set` a process goes on that sleeps in `wait`: the median."""

from statistics import median
from time import perf_counter

from line_protocol import serve
from partner import context, start_partner

# As long as our side's; see event-wake.ts.
PARKED_SECONDS = 200e-6

ours = context.Event()
theirs = context.Event()
passed = context.RawValue('d', 0)


def take(event):
    event.wait()
    event.clear()


def partner():
    while True:
        take(theirs)
        end = perf_counter() + PARKED_SECONDS
        while perf_counter() < end:
            pass
        passed.value = perf_counter()
        ours.set()


def operation(count):
    delays = []
    for _ in range(count):
        theirs.set()
        take(ours)
        delays.append(perf_counter() - passed.value)
    return median(delays) * count


start_partner(partner)
serve(operation)
