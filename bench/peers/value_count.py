"""Two processes count a Value up to a number, each step under its lock."""

from counting import serve_counting
from partner import context

value = context.Value('i', 0)


def start_anew():
    value.value = 0


def count_to(goal):
    mine = 0
    while True:
        with value.get_lock():
            seen = value.value
            if seen < goal:
                value.value = seen + 1
        if seen >= goal:
            return mine
        mine += 1


serve_counting(start_anew, count_to)
