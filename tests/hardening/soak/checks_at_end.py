"""Checks at the end of a soak test: tokens, sessions, the log and the memory."""

from collections import Counter
from statistics import median

from soak.model import ModelViolation

NEVER_LOGGED = ["eyJ0eXAiOiJhcm0", "arm_session=", "@soak.test"]
# How much the memory may grow between the warm-up and the last tenth of the test.
MAX_GROWTH = 1.10
# How many seconds of real time dynoxide stores the result of each transaction, about 500 bytes.
# Until then, memory grows with the number of requests. A soak test should last twice as long.
DATABASE_CACHE_SECONDS = 600


def check(condition, sentence):
    if not condition:
        raise ModelViolation(sentence)
    return sentence


def tokens(soak_test):
    """Checks that each user has at most one active token, and that all tokens are listed."""
    created = 0
    for person in soak_test.people:
        person.log_in(None)
        person.check_token_list(None)
        live = [it for it in person.tokens[-200:] if person.query_until_available(it).status == 200]
        expected = person.live_tokens()
        check(live == expected, f"{person.email}: {live} are active, expected {expected}")
        created += len(person.tokens)
    users = len(soak_test.people)
    return f"{created} tokens were created by {users} users, at most one of each is active"


def sessions(soak_test):
    """Checks that no session is valid after 40 minutes."""
    live = [(person, it) for person in soak_test.people for it in person.live_sessions()]
    # This can be more than 40 minutes, because the clock jumped back.
    seconds = max(it.end for _, it in live) - soak_test.time.now
    soak_test.time.move(soak_test.control("clock", advanceSeconds=seconds)["now"])
    for person, session in live:
        status = person.query_until_available(session).status
        check(status == 401, f"{person.email} has a valid session after 40 minutes")
    return f"{len(live)} sessions were valid, and none is valid after 40 minutes"


def log(soak_test):
    """Checks that the log has one line for each response and contains no secrets."""
    text = soak_test.product.log_text()
    for secret in NEVER_LOGGED:
        check(secret not in text, f"the log contains {secret}")
    lines = [it for it in soak_test.product.log() if "handler" in it]
    logged = Counter(verdict_of(it) for it in lines)
    logged -= Counter({"200": soak_test.control_calls})
    received = soak_test.traffic.verdicts
    statuses = by_status(logged), by_status(received)
    check(statuses[0] == statuses[1], f"logged: {statuses[0]}, received: {statuses[1]}")
    check(rejections(logged) == rejections(received), "the logged rejections differ")
    responses = soak_test.traffic.count
    controls = soak_test.control_calls
    return f"{len(lines)} log lines for {responses} responses and {controls} controls"


def verdict_of(line):
    """Returns the status, code and reason of a log line, as `Response.verdict` does."""
    return " ".join(str(line[name]) for name in ["status", "code", "reason"] if line.get(name))


def rejections(verdicts):
    return {it: count for it, count in verdicts.items() if it.startswith("401")}


def by_status(verdicts):
    counts = Counter()
    for verdict, count in verdicts.items():
        counts[verdict.split(" ")[0]] += count
    return counts


def memory(soak_test):
    """Checks that the memory does not grow after the warm-up."""
    elapsed = soak_test.memory[-1][0]
    tenth = elapsed / 10
    start = DATABASE_CACHE_SECONDS if elapsed > 1.5 * DATABASE_CACHE_SECONDS else tenth
    warm, last = (median_size(soak_test, begin, begin + tenth) for begin in (start, 9 * tenth))
    sentence = f"memory: {warm:.1f} MiB after {start:.0f} s, {last:.1f} MiB in the last tenth"
    return check(last <= warm * MAX_GROWTH, sentence)


def median_size(soak_test, begin, end):
    """Returns the median of the memory between two times, in MiB."""
    return median(size for second, size in soak_test.memory if begin <= second <= end) / 2**20


ALL = [tokens, sessions, log, memory]
