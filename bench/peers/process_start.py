# A spawned child runs this file too, under another name; what it need not load stands below.

if __name__ == '__main__':
    from time import perf_counter

    from line_protocol import check, serve
    from noop import noop
    from package import package

    Process = package.get_context('spawn').Process

    def operation(count):
        start = perf_counter()
        for _ in range(count):
            child = Process(target=noop)
            child.start()
            child.join()
            check(child.exitcode == 0, f'exit code {child.exitcode}')
            child.close()
        return perf_counter() - start

    serve(operation)
