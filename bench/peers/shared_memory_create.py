import os
import sys
from time import perf_counter

from line_protocol import check, serve
from package import shared_memory

BYTES = 4096
write = sys.argv[1] == 'written'


def operation(count):
    start = perf_counter()
    for _ in range(count):
        block = shared_memory.SharedMemory(create=True, size=BYTES)
        if write:
            block.buf[0] = 1
        block.close()
        block.unlink()
    seconds = perf_counter() - start
    check_once()
    return seconds


def check_once():
    block = shared_memory.SharedMemory(create=True, size=BYTES)
    path = f'/dev/shm/{block.name}'
    check(len(block.buf) == BYTES and os.path.exists(path), 'the block is not there')
    block.close()
    block.unlink()
    check(not os.path.exists(path), 'the block is still there')


serve(operation)
