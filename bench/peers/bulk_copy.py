import sys
from time import perf_counter

from line_protocol import check, serve
from package import shared_memory

size = int(sys.argv[1])
source = bytearray(b'\x07' * size)
block = shared_memory.SharedMemory(create=True, size=size)
block.buf[:] = source
mark = 0


def operation(count):
    global mark
    mark = (mark + 1) % 256
    source[0] = source[-1] = mark
    start = perf_counter()
    for _ in range(count):
        block.buf[:] = source
    seconds = perf_counter() - start
    check(block.buf[0] == mark and block.buf[size - 1] == mark, 'the copy differs')
    return seconds


try:
    serve(operation)
finally:
    block.close()
    block.unlink()
