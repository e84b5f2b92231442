"""How a soak goes: rounds in which people act at once, and between which time passes."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import monotonic

from soak.model import SKEW, Broken, Time
from soak.person import Person
from soak.traffic import Traffic

PEOPLE = 8
STEPS_A_ROUND = 10
# How much time passes during the requests that were asked for, so that everything that is kept for some time is forgotten again
# and again: the history of credentials is kept longest, for 400 days.
DAYS_IN_ALL = 4000
CHANCE_OF_DAYS = 0.2
DYNAMODB = ["throttle", "timeout", "error", "unprocessed"]


class Course:
    """A soak of about `requests` requests, or of more until it has lasted `minutes`."""

    def __init__(self, product, requests, minutes, seed):
        self.product, self.requests, self.minutes, self.seed = product, requests, minutes, seed
        self.began = monotonic()
        now = product.lever("clock", advanceSeconds=0)["now"]
        self.time, self.traffic = Time(now, now), Traffic(product)
        self.people = [Person(f"person{it}@soak.test", self.traffic, self.time) for it in range(PEOPLE)]
        self.memory, self.faults, self.levers = [], 0, 1

    def run(self):
        """Runs all rounds."""
        with ThreadPoolExecutor(PEOPLE) as at_once:
            number = 0
            while self.traffic.count < self.requests or self.lasted() < self.minutes * 60:
                self.round(number, at_once)
                number += 1
        return number

    def lasted(self):
        """How many seconds of real time it has lasted."""
        return monotonic() - self.began

    def round(self, number, at_once):
        chance = Random(f"{self.seed}/{number}")
        planned = self.plan_faults(chance)
        acts = [at_once.submit(self.acts, person, number) for person in self.people]
        for act in acts:
            act.result()
        self.end_faults(number, planned)
        self.memory.append((self.lasted(), self.product.memory()))
        self.pass_time(chance)

    def acts(self, person, number):
        """What one person does in one round, the same for the same seed."""
        chance = Random(f"{self.seed}/{number}/{person.email}")
        for _ in range(STEPS_A_ROUND):
            try:
                person.act(chance)
            except Exception as fault:
                raise Broken(f"round {number} of SOAK_SEED={self.seed}: {fault!r}") from fault

    def plan_faults(self, chance):
        """Every third round things fail: how many calls at most."""
        if chance.random() > 0.35:
            return 0
        if chance.random() < 0.2:
            times = chance.randint(1, 3)
            self.lever("faults", kms="error", times=times)
            return times
        times = chance.randint(3, 40)
        self.lever("faults", dynamodb=chance.choice(DYNAMODB), times=times)
        return times

    def end_faults(self, number, planned):
        """Nothing fails from now on; what failed before must be explained by what was planned."""
        self.lever("faults", dynamodb=None, kms=None)
        unavailable = self.traffic.take_unavailable()
        self.faults += unavailable
        if unavailable > planned:
            raise Broken(f"round {number}: {unavailable} failures, and {planned} faults")

    def lever(self, name, **moved):
        self.levers += 1
        return self.product.lever(name, **moved)

    def pass_time(self, chance):
        """Seconds or minutes pass, now and then days; sometimes the clock jumps back a little."""
        kind, rounds = chance.random(), self.requests / (PEOPLE * STEPS_A_ROUND)
        if kind < 0.1:
            seconds = -chance.randint(0, self.back())
        elif kind < 0.1 + CHANCE_OF_DAYS:
            seconds = round(chance.random() * 2 * DAYS_IN_ALL * 86_400 / (rounds * CHANCE_OF_DAYS))
        else:
            seconds = chance.choice([0, 1, 30, 59, 120, 700, 2399, 2400])
        self.time.move(self.lever("clock", advanceSeconds=seconds)["now"])

    def back(self):
        """How far the clock may jump back: as far as clocks of two instances may differ."""
        return self.time.now - (self.time.latest - SKEW)
