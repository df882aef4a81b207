"""A message to another process, and its answer: half of the time."""

from time import perf_counter

from line_protocol import check, serve
from partner import context, start_partner

requests = context.Queue()
answers = context.Queue()


def partner():
    while True:
        answers.put(requests.get())


def operation(count):
    start = perf_counter()
    for i in range(count):
        requests.put(i)
        check(answers.get() == i, 'another answer came')
    return (perf_counter() - start) / 2


start_partner(partner)
serve(operation)
