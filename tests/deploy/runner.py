"""A test runner whose tests depend on each other and run in the order of their definition."""

import sys
import time
import traceback

_tests = []


def test(function):
    """Registers a test. Its name is a sentence."""
    _tests.append(function)
    return function


def run_all(*arguments):
    """Runs all tests and prints the results. Returns whether all passed."""
    failed = 0
    for function in _tests:
        begin, result = time.monotonic(), "ok"
        try:
            function(*arguments)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            result, failed = "FAILED", failed + 1
        name, seconds = function.__name__.replace("_", " "), time.monotonic() - begin
        print(f"{result}: {name} ({seconds:.1f} s)", flush=True)
    print(f"{len(_tests) - failed} passed, {failed} failed")
    return failed == 0


def wait_for(condition, description, seconds):
    """Waits until the condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{description}: not within {seconds} seconds"
        time.sleep(0.5)
