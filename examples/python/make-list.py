"""Makes a ShareableList, lets another program change it, and prints what has become of it.

Started by python-to-node.ts, which reads the list's name from standard output and answers with a line when it is done.
"""

import sys

try:
    from multiprocess.shared_memory import ShareableList
except ImportError:
    from multiprocessing.shared_memory import ShareableList

items = ShareableList([1, 2.5, "three", True, None])
try:
    print(items.shm.name, flush=True)
    sys.stdin.readline()
    print(f"Python, after Node: {list(items)}", flush=True)
finally:
    # Python made the list, so Python removes it.
    items.shm.close()
    items.shm.unlink()
