"""A user with a browser and programs, who compares each response with the model."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from soak.model import Broken, Session, Token
from soak.stranger import STEPS as STRANGER_STEPS
from soak.stranger import Stranger, text

ME = "{ me { userEmail accessToken } }"
INVALIDATE = "mutation { invalidateAccessToken { success } }"
LIST = """{{ me {{ accessTokens(first: 100{after}) {{
    nodes {{ id state }} pageInfo {{ endCursor hasNextPage }}
}} }} }}"""
# How many earlier credentials a user tries again.
EARLIER = 12
# How often a request is repeated while faults are injected.
ATTEMPTS = 30
CONCURRENT = ThreadPoolExecutor(8)


def update(expires):
    return f"mutation {{ updateAccessToken(expirationTime: {expires}) {{ success sessionJwt }} }}"


class Person:
    """A user with all sessions and tokens that they received."""

    def __init__(self, email, traffic, time):
        self.email, self.traffic, self.time = email, traffic, time
        self.sessions, self.tokens, self.stranger = [], [], Stranger(traffic)

    # Credentials.

    def live_sessions(self):
        return [it for it in self.sessions if it.is_live(self.time)]

    def live_tokens(self):
        return [it for it in self.tokens if it.is_live(self.time)]

    def headers(self, credential):
        """Returns the headers of a request with a credential."""
        if isinstance(credential, Token):
            return {"Authorization": f"Bearer {credential.jwt}"}
        return {"Cookie": credential.cookie, "Origin": self.traffic.product.url}

    # Expectations.

    def expect(self, expected, answer, step):
        """Checks the response. Returns False if an injected fault caused it."""
        if answer.status == 503:
            return False
        if answer.verdict not in expected:
            got = f"{answer.verdict}: {answer.text[:500]}"
            raise Broken(f"{self.email} {step}: expected {sorted(expected)}, got {got}")
        return True

    def verdicts(self, credential, otherwise=("200",)):
        """Returns the possible results of a request with a credential."""
        refusals = credential.refusals(self.time)
        return {f"401 UNAUTHENTICATED {reason}" for reason in refusals} or set(otherwise)

    # Steps.

    def act(self, chance):
        """Runs one random step."""
        if not self.live_sessions() and chance.random() < 0.7:
            return self.logs_in(chance)
        steps = list(STEPS)
        for step, weight in STRANGER_STEPS:
            steps.append((partial(Person.acts_as_stranger, step=step), weight))
        step = chance.choices([it for it, _ in steps], [weight for _, weight in steps])[0]
        return step(self, chance)

    def acts_as_stranger(self, chance, step):
        """Runs a step of a stranger."""
        expected, answer = step(self.stranger, chance)
        self.expect(expected, answer, step.__name__)

    def logs_in(self, _):
        answer = self.traffic.record(self.traffic.product.log_in(self.email))
        if self.expect({"303"}, answer, "logs in"):
            self.sessions = [*self.sessions[-EARLIER:], Session(answer.cookie, self.time.now)]

    def asks_by_session(self, chance):
        if not self.sessions:
            return
        session = chance.choice(self.sessions[-4:] if chance.random() < 0.8 else self.sessions)
        answer = self.traffic.ask(ME, self.headers(session))
        if self.expect(self.verdicts(session), answer, "asks by session") and answer.status == 200:
            self.check_me(answer)

    def asks_by_token(self, chance):
        if not self.tokens:
            return
        token = self.tokens[-1] if chance.random() < 0.6 else chance.choice(self.tokens[-EARLIER:])
        answer = self.traffic.ask(ME, self.headers(token))
        if self.expect(self.verdicts(token), answer, "asks by token") and answer.status == 200:
            self.check_me(answer)

    def check_me(self, answer):
        """Compares `me` with the model."""
        me = answer.json["data"]["me"]
        live = self.live_tokens()
        token = {"hasAccessToken": bool(live), "issuedAt": str(live[0].issued) if live else ""}
        if me != {"userEmail": self.email, "accessToken": json.dumps(token)} or len(live) > 1:
            raise Broken(f"{self.email} has {live}, but `me` is {me}")

    def credential(self, chance):
        """Returns a valid credential, if there is one."""
        held = self.live_sessions()[-2:] + self.live_tokens()
        return chance.choice(held) if held else None

    def creates_a_token(self, chance):
        if credential := self.credential(chance):
            life = chance.choice([90, 600, 3600, 86_400, 30 * 86_400, 180 * 86_400])
            expires = self.time.now + life
            answer = self.traffic.ask(update(expires), self.headers(credential))
            if self.expect({"200"}, answer, "creates a token"):
                self.stores_token(answer, expires)

    def stores_token(self, answer, expires):
        """Stores a new token. It replaces the previous one, even if that has expired."""
        self.end_token("REPLACED")
        jwt = answer.json["data"]["updateAccessToken"]["sessionJwt"]
        self.tokens.append(Token(jwt, self.time.now, expires))

    def end_token(self, state):
        """Ends the active token."""
        for token in self.tokens:
            token.end(state, self.time)

    def sends_an_invalid_time(self, chance):
        if credential := self.credential(chance):
            now = self.time.now
            times = [0, 1_577_854_799, now, now - 1, now + 200 * 86_400, now * 1000]
            expires = chance.choice(times)
            answer = self.traffic.ask(update(expires), self.headers(credential))
            expected = {"200 BAD_USER_INPUT INVALID_EXPIRATION_TIME"}
            self.expect(expected, answer, "sends an invalid time")

    def revokes(self, chance):
        if credential := self.credential(chance):
            answer = self.traffic.ask(INVALIDATE, self.headers(credential))
            if self.expect({"200"}, answer, "revokes"):
                self.end_token("REVOKED")

    def logs_out(self, chance):
        if self.sessions:
            session = chance.choice(self.sessions[-3:])
            answer = self.traffic.send("POST", "/logout", self.headers(session))
            if self.expect({"303"}, answer, "logs out"):
                session.is_ended |= session.is_live(self.time)

    def opens_home(self, chance):
        if self.sessions:
            session = chance.choice(self.sessions[-4:])
            headers = self.headers(session) | {"Accept": "text/html"}
            answer = self.traffic.send("GET", "/home", headers)
            expected = {"200"} if session.is_live(self.time) else {"303"}
            self.expect(expected, answer, "opens home")

    def tampers(self, chance):
        """Changes one character of a token, in its signature, claims or header."""
        if self.tokens:
            jwt = self.tokens[-1].jwt
            at = chance.choice([it for it in range(len(jwt) - 1) if jwt[it] != "."])
            other = chance.choice([it for it in "ABCxyz019" if it != jwt[at]])
            headers = {"Authorization": f"Bearer {jwt[:at]}{other}{jwt[at + 1 :]}"}
            answer = self.traffic.ask(ME, headers)
            self.expect({"401 UNAUTHENTICATED TOKEN_INVALID"}, answer, "tampers")

    def forges_own_cookie(self, chance):
        if self.sessions:
            own = self.sessions[-1].cookie.split(".")[0]
            headers = {"Cookie": f"{own}.{text(chance, 43)}", "Origin": self.traffic.product.url}
            answer = self.traffic.ask(ME, headers)
            self.expect({"401 UNAUTHENTICATED TOKEN_INVALID"}, answer, "forges a cookie")

    def lists_tokens(self, _):
        """Checks that all tokens are listed with the right state."""
        sessions = self.live_sessions()
        listed = sessions and self.list_tokens(sessions[-1])
        if listed:
            kept = [it for it in self.tokens if not it.is_deleted(self.time)]
            expected = {it.id: it.displayed_state(self.time) for it in kept}
            if listed != expected:
                differ = set(listed.items()) ^ set(expected.items())
                count = f"{len(listed)} tokens, expected {len(expected)}"
                raise Broken(f"{self.email} lists {count}; they differ in {differ}")

    def list_tokens(self, session):
        """Returns all pages of the list of tokens, or None after an injected fault."""
        tokens, after = {}, ""
        while True:
            answer = self.traffic.ask(LIST.format(after=after), self.headers(session))
            if not self.expect({"200"}, answer, "lists tokens"):
                return None
            page = answer.json["data"]["me"]["accessTokens"]
            tokens |= {it["id"]: it["state"] for it in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                return tokens
            after = f', after: {json.dumps(page["pageInfo"]["endCursor"])}'

    # Concurrent requests.

    def races(self, chance):
        """Creates tokens concurrently, sometimes with a revocation. At most one is active then."""
        if not self.live_sessions():
            return
        headers, before = self.headers(self.live_sessions()[-1]), self.live_tokens()
        expires = self.time.now + 86_400
        queries = [update(expires)] * chance.randint(3, 6)
        queries += [INVALIDATE] * chance.randint(0, 1)
        answers = list(CONCURRENT.map(lambda it: self.traffic.ask(it, headers), queries))
        created = []
        if "200" in [it.verdict for it in answers]:
            self.end_token("REPLACED")
        for query, answer in zip(queries, answers):
            was_expected = self.expect({"200", "200 CONFLICT"}, answer, "races")
            if was_expected and answer.verdict == "200" and query != INVALIDATE:
                jwt = answer.json["data"]["updateAccessToken"]["sessionJwt"]
                created.append(Token(jwt, self.time.now, expires))
        self.tokens += created
        tokens = before + created
        self.find_active(tokens, is_one_left=queries[-1] != INVALIDATE and bool(tokens))

    def find_active(self, tokens, is_one_left):
        """Finds the active token. There is one, or at most one after a revocation."""
        states = {
            "200": "ACTIVE",
            "401 UNAUTHENTICATED TOKEN_REPLACED": "REPLACED",
            "401 UNAUTHENTICATED TOKEN_REVOKED": "REVOKED",
        }
        for token in tokens:
            answer = self.ask_until_available(token)
            if answer.verdict not in states:
                raise Broken(f"{self.email}: unexpected {answer.verdict}: {answer.text[:500]}")
            token.state = states[answer.verdict]
            if token.state != "ACTIVE" and token.ended is None:
                token.ended = self.time.now
        live = len(self.live_tokens())
        if live > 1 or (is_one_left and live != 1):
            raise Broken(f"{self.email}: {live} of {len(tokens)} concurrent tokens are active")

    def ask_until_available(self, credential):
        """Repeats a request until no injected fault occurs."""
        for _ in range(ATTEMPTS):
            answer = self.traffic.ask("{ __typename }", self.headers(credential))
            if answer.status != 503:
                return answer
        raise Broken(f"{self.email}: still unavailable: {answer.text}")


STEPS = [
    (Person.logs_in, 3),
    (Person.asks_by_session, 18),
    (Person.asks_by_token, 22),
    (Person.creates_a_token, 5),
    (Person.sends_an_invalid_time, 2),
    (Person.revokes, 3),
    (Person.logs_out, 2),
    (Person.opens_home, 4),
    (Person.tampers, 4),
    (Person.forges_own_cookie, 3),
    (Person.lists_tokens, 1),
    (Person.races, 2),
]
