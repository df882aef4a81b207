"""Two processes count together to a number, each step under the lock."""

import sys

from counting import serve_counting
from partner import context

lock = context.RLock() if sys.argv[1] == 'RLock' else context.Lock()
counter = context.RawArray('q', 1)


def start_anew():
    counter[0] = 0


def count_to(goal):
    mine = 0
    while True:
        lock.acquire()
        seen = counter[0]
        if seen < goal:
            counter[0] = seen + 1
        lock.release()
        if seen >= goal:
            return mine
        mine += 1


serve_counting(start_anew, count_to)
