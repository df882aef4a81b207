from time import perf_counter

from line_protocol import check, serve
from package import package

managers = __import__(f'{package.__name__}.managers', fromlist=['BaseManager'])


class Echo:
    def echo(self, value):
        return value


class EchoManager(managers.BaseManager):
    pass


EchoManager.register('Echo', Echo)


def main():
    with EchoManager() as manager:
        shared = manager.Echo()

        def operation(count):
            start = perf_counter()
            for i in range(count):
                check(shared.echo(i) == i, 'another answer came')
            return perf_counter() - start

        serve(operation)


if __name__ == '__main__':
    main()
