"""From the first put to the last get: one process puts, the other one gets."""

import sys
from time import perf_counter

from line_protocol import check, serve
from partner import context, start_partner

large = sys.argv[1] == 'large'
data = b'\x07' * (1024 * 1024)
messages = context.Queue(4 if large else 1000)
counts = context.Queue()
done = context.Queue()


def partner():
    while True:
        for _ in range(counts.get()):
            message = messages.get()
        done.put(len(message) if large else message)


def operation(count):
    counts.put(count)
    start = perf_counter()
    for i in range(count):
        messages.put(data if large else i)
    last = done.get()
    seconds = perf_counter() - start
    check(last == (len(data) if large else count - 1), 'another message was the last')
    return seconds


start_partner(partner)
serve(operation)
