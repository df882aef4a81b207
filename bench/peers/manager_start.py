"""manager_start.py fork|spawn"""

# A spawned server runs this file too, under another name; what it need not load stands below.

if __name__ == '__main__':
    import sys
    from time import perf_counter

    from line_protocol import serve
    from package import package

    context = package.get_context(sys.argv[1])

    def operation(count):
        start = perf_counter()
        for _ in range(count):
            with context.Manager():
                pass
        return perf_counter() - start

    serve(operation)
