"""What is looked at when all is over: tokens, sessions, the log, memory."""

from collections import Counter
from statistics import median

from soak.model import Broken

NEVER_LOGGED = ["eyJ0eXAiOiJhcm0", "arm_session=", "@soak.test"]
# By how much memory may grow from when all is warm to the last tenth.
MOST_GROWTH = 1.10
# For how many seconds of real time dynoxide keeps the result of each transaction, some 500 bytes:
# until then memory grows with the number of requests, and a soak should last twice as long.
DATABASE_REMEMBERS = 600


def check(holds, sentence):
    if not holds:
        raise Broken(sentence)
    return sentence


def tokens(course):
    """Of each person's tokens one at most is live, and the list tells of all."""
    made = 0
    for person in course.people:
        person.signs_in(None)
        person.lists_tokens(None)
        live = [it for it in person.tokens[-200:] if person.surely(it).status == 200]
        check(live == person.live_tokens(), f"{person.email}: {live} are live, not {person.live_tokens()}")
        made += len(person.tokens)
    return f"{made} tokens were made by {len(course.people)} people, one of each is live at most"


def sessions(course):
    """After forty minutes no session is let in."""
    live = [(person, it) for person in course.people for it in person.live_sessions()]
    forty_minutes = max(it.end for _, it in live) - course.time.now  # more where the clock jumped back
    course.time.move(course.lever("clock", advanceSeconds=forty_minutes)["now"])
    for person, session in live:
        check(person.surely(session).status == 401, f"{person.email} is signed in after forty minutes")
    return f"{len(live)} sessions were live, and none is after forty minutes"


def log(course):
    """There is one line for each answer, with its status and reason, and never a secret."""
    text = course.product.log_text()
    for secret in NEVER_LOGGED:
        check(secret not in text, f"the log has {secret}")
    lines = [it for it in course.product.log() if "handler" in it]
    told = Counter(" ".join(str(it[name]) for name in ["status", "code", "reason"] if it.get(name)) for it in lines)
    told -= Counter({"200": course.levers})
    seen = course.traffic.verdicts
    check(by_status(told) == by_status(seen), f"the log tells {by_status(told)}, seen were {by_status(seen)}")
    refused = {it: count for it, count in seen.items() if it.startswith("401")}
    check(refused == {it: count for it, count in told.items() if it.startswith("401")}, "refusals differ")
    return f"{len(lines)} lines of the log tell of {course.traffic.count} answers and {course.levers} levers"


def by_status(verdicts):
    counts = Counter()
    for verdict, count in verdicts.items():
        counts[verdict.split(" ")[0]] += count
    return counts


def memory(course):
    """Memory is flat from when all is warm, and the embedded database forgets as much as it learns."""
    lasted = course.memory[-1][0]
    tenth = lasted / 10
    start = DATABASE_REMEMBERS if lasted > 1.5 * DATABASE_REMEMBERS else tenth
    warm, last = (sizes(course, begin, begin + tenth) for begin in (start, 9 * tenth))
    sentence = f"memory is {warm:.1f} MiB after {start:.0f} s, and {last:.1f} MiB in the last tenth"
    return check(last <= warm * MOST_GROWTH, sentence)


def sizes(course, begin, end):
    """The median of the memory between two seconds, in MiB."""
    return median(size for second, size in course.memory if begin <= second <= end) / 2**20


ALL = [tokens, sessions, log, memory]
