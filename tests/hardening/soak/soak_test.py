"""A soak test: rounds in which users act at the same time. Time passes in between."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import monotonic

from soak.model import SKEW, ModelViolation, Time
from soak.person import Person
from soak.traffic import Traffic

PEOPLE = 8
STEPS_PER_ROUND = 10
# How many days pass in total. Records are deleted up to 400 days after they were created, so all
# kinds of records are deleted several times.
TOTAL_DAYS = 4000
CHANCE_OF_DAYS = 0.2
DYNAMODB = ["throttle", "timeout", "error", "unprocessed"]


class SoakTest:
    """A soak test of at least `requests` requests and `minutes` minutes."""

    def __init__(self, product, requests, minutes, seed):
        self.product, self.requests, self.minutes, self.seed = product, requests, minutes, seed
        self.began = monotonic()
        now = product.control("clock", advanceSeconds=0)["now"]
        self.time, self.traffic = Time(now, now), Traffic(product)
        emails = [f"person{it}@soak.test" for it in range(PEOPLE)]
        self.people = [Person(email, self.traffic, self.time) for email in emails]
        self.memory, self.faults, self.control_calls = [], 0, 1

    def run(self):
        """Runs all rounds, and returns their number."""
        with ThreadPoolExecutor(PEOPLE) as pool:
            number = 0
            while self.traffic.count < self.requests or self.elapsed() < self.minutes * 60:
                self.round(number, pool)
                number += 1
        return number

    def elapsed(self):
        """Returns the elapsed seconds of real time."""
        return monotonic() - self.began

    def round(self, number, pool):
        rng = Random(f"{self.seed}/{number}")
        planned = self.plan_faults(rng)
        for done in [pool.submit(self.act, person, number) for person in self.people]:
            done.result()
        self.end_faults(number, planned)
        self.memory.append((self.elapsed(), self.product.memory()))
        self.pass_time(rng)

    def act(self, person, number):
        """Runs the steps of one user in one round. They depend only on the seed."""
        rng = Random(f"{self.seed}/{number}/{person.email}")
        for _ in range(STEPS_PER_ROUND):
            try:
                person.act(rng)
            except Exception as fault:
                where = f"round {number} of SOAK_SEED={self.seed}"
                raise ModelViolation(f"{where}: {fault!r}") from fault

    def plan_faults(self, rng):
        """Injects faults in about every third round. Returns how many calls may fail."""
        if rng.random() > 0.35:
            return 0
        if rng.random() < 0.2:
            times = rng.randint(1, 3)
            self.control("faults", kms="error", times=times)
            return times
        times = rng.randint(3, 40)
        self.control("faults", dynamodb=rng.choice(DYNAMODB), times=times)
        return times

    def end_faults(self, number, planned):
        """Removes all faults. Checks that there were not more failures than injected faults."""
        self.control("faults", dynamodb=None, kms=None)
        unavailable = self.traffic.take_unavailable()
        self.faults += unavailable
        if unavailable > planned:
            counts = f"{unavailable} failures, {planned} injected faults"
            raise ModelViolation(f"round {number}: {counts}")

    def control(self, name, **body):
        self.control_calls += 1
        return self.product.control(name, **body)

    def pass_time(self, rng):
        """Advances the clock by seconds, minutes or days. Sometimes it jumps back a little."""
        kind, rounds = rng.random(), self.requests / (PEOPLE * STEPS_PER_ROUND)
        if kind < 0.1:
            seconds = -rng.randint(0, self.max_jump_back())
        elif kind < 0.1 + CHANCE_OF_DAYS:
            average = TOTAL_DAYS * 86_400 / (rounds * CHANCE_OF_DAYS)
            seconds = round(rng.random() * 2 * average)
        else:
            seconds = rng.choice([0, 1, 30, 59, 120, 700, 2399, 2400])
        self.time.move(self.control("clock", advanceSeconds=seconds)["now"])

    def max_jump_back(self):
        """Returns how far the clock may jump back: the allowed difference between two clocks."""
        return self.time.now - (self.time.latest - SKEW)
