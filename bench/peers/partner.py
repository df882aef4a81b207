"""A second process that works while `run` runs, and sleeps otherwise."""

import os

from package import package

context = package.get_context('fork')


def start_partner(work):
    """Runs `work` in a process that ends with this one. Each of the two has a processor of its own, as on our side."""

    def bound():
        os.sched_setaffinity(0, [processors[-1]])
        work()

    processors = sorted(os.sched_getaffinity(0))
    context.Process(target=bound, daemon=True).start()
    os.sched_setaffinity(0, [processors[0]])
