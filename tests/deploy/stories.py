"""Stories that are told one after the other: each goes on where the one before ended."""

import sys
import time
import traceback

_stories = []


def story(tell):
    """A story; its name is the sentence."""
    _stories.append(tell)
    return tell


def tell_all(*told):
    """Tells all stories, and says how they came out; answers whether all came out well."""
    failed = 0
    for tell in _stories:
        begin, outcome = time.monotonic(), "ok"
        try:
            tell(*told)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            outcome, failed = "FAILED", failed + 1
        print(f"{outcome}: {tell.__name__.replace('_', ' ')} ({time.monotonic() - begin:.1f} s)", flush=True)
    print(f"{len(_stories) - failed} passed, {failed} failed")
    return failed == 0


def eventually(holds, what, seconds):
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} seconds"
        time.sleep(0.5)
