"""Opens a block of shared memory by its name and squares the float64 numbers in it, where they are.

Started by node-to-python.ts: python3 change-in-place.py NAME
"""

import sys

try:
    from multiprocess import resource_tracker
    from multiprocess.shared_memory import SharedMemory
except ImportError:
    from multiprocessing import resource_tracker
    from multiprocessing.shared_memory import SharedMemory

try:
    import numpy
except ImportError:
    numpy = None


def attach(name):
    """Opens a block that another program has made, and goes on owning.

    Python's resource tracker takes every block it hears of for Python's own, and removes it when this program ends:
    Node would lose its block. Since Python 3.13 an opened block can be kept from the tracker (CPython issue 82300,
    bpo-38119); before, the tracker has to be told to forget it.
    """
    if sys.version_info >= (3, 13):
        return SharedMemory(name=name, track=False)
    block = SharedMemory(name=name)
    resource_tracker.unregister(block._name, "shared_memory")
    return block


def square_with_numpy(block):
    numbers = numpy.ndarray(block.size // 8, dtype=numpy.float64, buffer=block.buf)
    numbers *= numbers


def square_with_memoryview(block):
    with block.buf.cast("d") as numbers:
        for i, number in enumerate(numbers):
            numbers[i] = number * number


block = attach(sys.argv[1])
# In functions, because a block cannot be closed while a variable still shows its memory.
(square_with_memoryview if numpy is None else square_with_numpy)(block)
block.close()
