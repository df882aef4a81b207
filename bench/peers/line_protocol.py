"""The line protocol: answers each `run <count>` with seconds, until the input ends."""

import sys


def serve(operation):
    print('ready', flush=True)
    for line in sys.stdin:
        command, count = line.split()
        if command != 'run':
            raise ValueError(f'{line!r} is not in the protocol')
        print(operation(int(count)), flush=True)


def check(right, what):
    if not right:
        raise AssertionError(f'Wrong result: {what}')
