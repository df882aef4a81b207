"""Takes a block of 64 bytes from the package's heap of shared memory, and gives it back."""

import importlib
from time import perf_counter

from line_protocol import check, serve
from package import package

BYTES = 64
BufferWrapper = importlib.import_module(f'{package.__name__}.heap').BufferWrapper


def operation(count):
    start = perf_counter()
    for _ in range(count):
        block = BufferWrapper(BYTES)
        del block
    seconds = perf_counter() - start
    check(len(BufferWrapper(BYTES).create_memoryview()) == BYTES, 'no block')
    return seconds


serve(operation)
