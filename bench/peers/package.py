"""The package that the peers use: multiprocess where it is installed and works, else the standard library's."""

import importlib
import platform


def find_package():
    try:
        package = importlib.import_module('multiprocess')
        # Debian 12 pairs a multiprocess for Python 3.9 with Python 3.11: it can be imported, but starts no process.
        importlib.import_module('multiprocess.resource_tracker').ensure_running()
        return package, f'multiprocess {package.__version__}'
    except (ImportError, TypeError):
        return importlib.import_module('multiprocessing'), "the standard library's multiprocessing"


package, description = find_package()
shared_memory = importlib.import_module(f'{package.__name__}.shared_memory')

if __name__ == '__main__':
    print(platform.python_version())
    print(description)
