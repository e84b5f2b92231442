"""A user with a browser and programs, who compares each response with the model."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from soak.model import ModelViolation, Session, Token
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

    def expect(self, expected, response, step):
        """Checks the response. Returns False if an injected fault caused it."""
        if response.status == 503:
            return False
        if response.verdict not in expected:
            got = f"{response.verdict}: {response.text[:500]}"
            raise ModelViolation(f"{self.email} {step}: expected {sorted(expected)}, got {got}")
        return True

    def verdicts(self, credential):
        """Returns the possible results of a request with a credential."""
        refusals = credential.refusals(self.time)
        return {f"401 UNAUTHENTICATED {reason}" for reason in refusals} or {"200"}

    # Steps.

    def act(self, rng):
        """Runs one random step."""
        if not self.live_sessions() and rng.random() < 0.7:
            return self.log_in(rng)
        steps = list(STEPS)
        for step, weight in STRANGER_STEPS:
            steps.append((partial(Person.act_as_stranger, step=step), weight))
        step = rng.choices([it for it, _ in steps], [weight for _, weight in steps])[0]
        return step(self, rng)

    def act_as_stranger(self, rng, step):
        """Runs a step of a stranger."""
        expected, response = step(self.stranger, rng)
        self.expect(expected, response, step.__name__)

    def log_in(self, _):
        response = self.traffic.record(self.traffic.product.log_in(self.email))
        if self.expect({"303"}, response, "log in"):
            self.sessions = [*self.sessions[-EARLIER:], Session(response.cookie, self.time.now)]

    def query_with_session(self, rng):
        if not self.sessions:
            return
        session = rng.choice(self.sessions[-4:] if rng.random() < 0.8 else self.sessions)
        response = self.traffic.query(ME, self.headers(session))
        succeeded = self.expect(self.verdicts(session), response, "query with session")
        if succeeded and response.status == 200:
            self.check_me(response)

    def query_with_token(self, rng):
        if not self.tokens:
            return
        token = self.tokens[-1] if rng.random() < 0.6 else rng.choice(self.tokens[-EARLIER:])
        response = self.traffic.query(ME, self.headers(token))
        succeeded = self.expect(self.verdicts(token), response, "query with token")
        if succeeded and response.status == 200:
            self.check_me(response)

    def check_me(self, response):
        """Compares `me` with the model."""
        me = response.json["data"]["me"]
        live = self.live_tokens()
        token = {"hasAccessToken": bool(live), "issuedAt": str(live[0].issued) if live else ""}
        if me != {"userEmail": self.email, "accessToken": json.dumps(token)} or len(live) > 1:
            raise ModelViolation(f"{self.email} has {live}, but `me` is {me}")

    def credential(self, rng):
        """Returns a valid credential, if there is one."""
        held = self.live_sessions()[-2:] + self.live_tokens()
        return rng.choice(held) if held else None

    def create_token(self, rng):
        if credential := self.credential(rng):
            life = rng.choice([90, 600, 3600, 86_400, 30 * 86_400, 180 * 86_400])
            expires = self.time.now + life
            response = self.traffic.query(update(expires), self.headers(credential))
            if self.expect({"200"}, response, "create token"):
                self.store_token(response, expires)

    def store_token(self, response, expires):
        """Stores a new token. It replaces the previous one, even if that has expired."""
        self.end_token("REPLACED")
        jwt = response.json["data"]["updateAccessToken"]["sessionJwt"]
        self.tokens.append(Token(jwt, self.time.now, expires))

    def end_token(self, state):
        """Ends the active token."""
        for token in self.tokens:
            token.end(state, self.time)

    def send_invalid_time(self, rng):
        if credential := self.credential(rng):
            now = self.time.now
            times = [0, 1_577_854_799, now, now - 1, now + 200 * 86_400, now * 1000]
            expires = rng.choice(times)
            response = self.traffic.query(update(expires), self.headers(credential))
            expected = {"200 BAD_USER_INPUT INVALID_EXPIRATION_TIME"}
            self.expect(expected, response, "send invalid time")

    def revoke_token(self, rng):
        if credential := self.credential(rng):
            response = self.traffic.query(INVALIDATE, self.headers(credential))
            if self.expect({"200"}, response, "revoke token"):
                self.end_token("REVOKED")

    def log_out(self, rng):
        if self.sessions:
            session = rng.choice(self.sessions[-3:])
            response = self.traffic.send("POST", "/logout", self.headers(session))
            if self.expect({"303"}, response, "log out"):
                session.is_ended |= session.is_live(self.time)

    def open_home(self, rng):
        if self.sessions:
            session = rng.choice(self.sessions[-4:])
            headers = self.headers(session) | {"Accept": "text/html"}
            response = self.traffic.send("GET", "/home", headers)
            expected = {"200"} if session.is_live(self.time) else {"303"}
            self.expect(expected, response, "open home")

    def tamper_with_token(self, rng):
        """Changes one character of a token, in its signature, claims or header."""
        if self.tokens:
            jwt = self.tokens[-1].jwt
            at = rng.choice([it for it in range(len(jwt) - 1) if jwt[it] != "."])
            other = rng.choice([it for it in "ABCxyz019" if it != jwt[at]])
            headers = {"Authorization": f"Bearer {jwt[:at]}{other}{jwt[at + 1 :]}"}
            response = self.traffic.query(ME, headers)
            self.expect({"401 UNAUTHENTICATED TOKEN_INVALID"}, response, "tamper with token")

    def forge_cookie(self, rng):
        if self.sessions:
            own = self.sessions[-1].cookie.split(".")[0]
            headers = {"Cookie": f"{own}.{text(rng, 43)}", "Origin": self.traffic.product.url}
            response = self.traffic.query(ME, headers)
            self.expect({"401 UNAUTHENTICATED TOKEN_INVALID"}, response, "forge cookie")

    def check_token_list(self, _):
        """Checks that all tokens are listed with the right state."""
        sessions = self.live_sessions()
        listed = sessions and self.list_tokens(sessions[-1])
        if listed:
            kept = [it for it in self.tokens if not it.is_deleted(self.time)]
            expected = {it.id: it.displayed_state(self.time) for it in kept}
            if listed != expected:
                differ = set(listed.items()) ^ set(expected.items())
                count = f"{len(listed)} tokens, expected {len(expected)}"
                raise ModelViolation(f"{self.email} lists {count}; they differ in {differ}")

    def list_tokens(self, session):
        """Returns all pages of the list of tokens, or None after an injected fault."""
        tokens, after = {}, ""
        while True:
            response = self.traffic.query(LIST.format(after=after), self.headers(session))
            if not self.expect({"200"}, response, "list tokens"):
                return None
            page = response.json["data"]["me"]["accessTokens"]
            tokens |= {it["id"]: it["state"] for it in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                return tokens
            after = f', after: {json.dumps(page["pageInfo"]["endCursor"])}'

    # Concurrent requests.

    def create_tokens_concurrently(self, rng):
        """Creates tokens concurrently, sometimes with a revocation. At most one is active then."""
        if not self.live_sessions():
            return
        headers, before = self.headers(self.live_sessions()[-1]), self.live_tokens()
        expires = self.time.now + 86_400
        queries = [update(expires)] * rng.randint(3, 6)
        queries += [INVALIDATE] * rng.randint(0, 1)
        responses = list(CONCURRENT.map(lambda it: self.traffic.query(it, headers), queries))
        created = []
        if "200" in [it.verdict for it in responses]:
            self.end_token("REPLACED")
        for query, response in zip(queries, responses):
            expected = {"200", "200 CONFLICT"}
            was_expected = self.expect(expected, response, "create tokens concurrently")
            if was_expected and response.verdict == "200" and query != INVALIDATE:
                jwt = response.json["data"]["updateAccessToken"]["sessionJwt"]
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
            response = self.query_until_available(token)
            if response.verdict not in states:
                got = f"{response.verdict}: {response.text[:500]}"
                raise ModelViolation(f"{self.email}: unexpected {got}")
            token.state = states[response.verdict]
            if token.state != "ACTIVE" and token.ended is None:
                token.ended = self.time.now
        live = len(self.live_tokens())
        if live > 1 or (is_one_left and live != 1):
            count = f"{live} of {len(tokens)}"
            raise ModelViolation(f"{self.email}: {count} concurrent tokens are active")

    def query_until_available(self, credential):
        """Repeats a request until no injected fault occurs."""
        for _ in range(ATTEMPTS):
            response = self.traffic.query("{ __typename }", self.headers(credential))
            if response.status != 503:
                return response
        raise ModelViolation(f"{self.email}: still unavailable: {response.text}")


STEPS = [
    (Person.log_in, 3),
    (Person.query_with_session, 18),
    (Person.query_with_token, 22),
    (Person.create_token, 5),
    (Person.send_invalid_time, 2),
    (Person.revoke_token, 3),
    (Person.log_out, 2),
    (Person.open_home, 4),
    (Person.tamper_with_token, 4),
    (Person.forge_cookie, 3),
    (Person.check_token_list, 1),
    (Person.create_tokens_concurrently, 2),
]
