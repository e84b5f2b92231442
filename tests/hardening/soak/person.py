"""Somebody with a browser and with programs, who knows what each answer should be."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from soak.model import Broken, Session, Token
from soak.stranger import STEPS as STEPS_OF_STRANGERS
from soak.stranger import Stranger, text

ME = "{ me { userEmail accessToken } }"
INVALIDATE = "mutation { invalidateAccessToken { success } }"
LIST = "{{ me {{ accessTokens(first: 100{after}) {{ nodes {{ id state }} pageInfo {{ endCursor hasNextPage }} }} }} }}"
# The most credentials of the past that somebody tries again.
KEPT = 12
# How often a question is asked again that a fault hindered: faults end.
PATIENCE = 30
RIVALS = ThreadPoolExecutor(8)


def update(expires):
    return f"mutation {{ updateAccessToken(expirationTime: {expires}) {{ success sessionJwt }} }}"


class Person:
    """Somebody, and all that they were given."""

    def __init__(self, email, traffic, time):
        self.email, self.traffic, self.time = email, traffic, time
        self.sessions, self.tokens, self.stranger = [], [], Stranger(traffic)

    # What they have.

    def live_sessions(self):
        return [it for it in self.sessions if it.is_live(self.time)]

    def live_tokens(self):
        return [it for it in self.tokens if it.is_live(self.time)]

    def headers(self, credential):
        """What a request carries that presents a credential."""
        if isinstance(credential, Token):
            return {"Authorization": f"Bearer {credential.jwt}"}
        return {"Cookie": credential.cookie, "Origin": self.traffic.product.url}

    # What they say of answers.

    def expect(self, expected, answer, step):
        """Whether the answer is one of those expected; a fault is none of them, and no mistake."""
        if answer.status == 503:
            return False
        if answer.verdict not in expected:
            raise Broken(f"{self.email} {step}: expected {sorted(expected)}, got {answer.verdict}: {answer.text[:500]}")
        return True

    def verdicts(self, credential, otherwise=("200",)):
        """What a question with a credential is answered."""
        refusals = credential.refusals(self.time)
        return {f"401 UNAUTHENTICATED {reason}" for reason in refusals} or set(otherwise)

    # What they do.

    def act(self, chance):
        """Takes one step."""
        if not self.live_sessions() and chance.random() < 0.7:
            return self.signs_in(chance)
        steps = STEPS + [(partial(Person.stands_outside, step=step), weight) for step, weight in STEPS_OF_STRANGERS]
        step = chance.choices([it for it, _ in steps], [weight for _, weight in steps])[0]
        return step(self, chance)

    def stands_outside(self, chance, step):
        """Does what a stranger does."""
        expected, answer = step(self.stranger, chance)
        self.expect(expected, answer, step.__name__)

    def signs_in(self, _):
        answer = self.traffic.noted(self.traffic.product.sign_in(self.email))
        if self.expect({"303"}, answer, "signs in"):
            self.sessions = [*self.sessions[-KEPT:], Session(answer.cookie, self.time.now)]

    def asks_by_session(self, chance):
        if not self.sessions:
            return
        session = chance.choice(self.sessions[-4:] if chance.random() < 0.8 else self.sessions)
        answer = self.traffic.ask(ME, self.headers(session))
        if self.expect(self.verdicts(session), answer, "asks by session") and answer.status == 200:
            self.is_told(answer)

    def asks_by_token(self, chance):
        if not self.tokens:
            return
        token = self.tokens[-1] if chance.random() < 0.6 else chance.choice(self.tokens[-KEPT:])
        answer = self.traffic.ask(ME, self.headers(token))
        if self.expect(self.verdicts(token), answer, "asks by token") and answer.status == 200:
            self.is_told(answer)

    def is_told(self, answer):
        """Holds `me` against what there is."""
        me = answer.json["data"]["me"]
        live = self.live_tokens()
        told = {"hasAccessToken": bool(live), "issuedAt": str(live[0].issued) if live else ""}
        if me != {"userEmail": self.email, "accessToken": json.dumps(told)} or len(live) > 1:
            raise Broken(f"{self.email} has {live}, and is told {me}")

    def credential(self, chance):
        """Something that lets them in, if they have it."""
        held = self.live_sessions()[-2:] + self.live_tokens()
        return chance.choice(held) if held else None

    def makes_a_token(self, chance):
        if credential := self.credential(chance):
            life = chance.choice([90, 600, 3600, 86_400, 30 * 86_400, 180 * 86_400])
            expires = self.time.now + life
            answer = self.traffic.ask(update(expires), self.headers(credential))
            if self.expect({"200"}, answer, "makes a token"):
                self.takes(answer, expires)

    def takes(self, answer, expires):
        """Takes a new token: the one before is dead, also if its time was over."""
        self.end_token("REPLACED")
        jwt = answer.json["data"]["updateAccessToken"]["sessionJwt"]
        self.tokens.append(Token(jwt, self.time.now, expires))

    def end_token(self, state):
        """Ends the token that nobody has ended yet."""
        for token in self.tokens:
            token.end(state, self.time)

    def asks_for_another_time(self, chance):
        if credential := self.credential(chance):
            now = self.time.now
            expires = chance.choice([0, 1_577_854_799, now, now - 1, now + 200 * 86_400, now * 1000])
            answer = self.traffic.ask(update(expires), self.headers(credential))
            self.expect({"200 BAD_USER_INPUT INVALID_EXPIRATION_TIME"}, answer, "asks for another time")

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
            answer = self.traffic.send("GET", "/home", self.headers(session) | {"Accept": "text/html"})
            self.expect({"200"} if session.is_live(self.time) else {"303"}, answer, "opens home")

    def tampers(self, chance):
        """Changes one character of a token: of its signature, claims or header."""
        if self.tokens:
            jwt = self.tokens[-1].jwt
            at = chance.choice([it for it in range(len(jwt) - 1) if jwt[it] != "."])
            other = chance.choice([it for it in "ABCxyz019" if it != jwt[at]])
            headers = {"Authorization": f"Bearer {jwt[:at]}{other}{jwt[at + 1 :]}"}
            self.expect({"401 UNAUTHENTICATED TOKEN_INVALID"}, self.traffic.ask(ME, headers), "tampers")

    def forges_their_own_cookie(self, chance):
        if self.sessions:
            own = self.sessions[-1].cookie.split(".")[0]
            headers = {"Cookie": f"{own}.{text(chance, 43)}", "Origin": self.traffic.product.url}
            self.expect({"401 UNAUTHENTICATED TOKEN_INVALID"}, self.traffic.ask(ME, headers), "forges a cookie")

    def lists_tokens(self, _):
        """Every token that was made is listed, and with its fate."""
        sessions = self.live_sessions()
        told = sessions and self.listed(sessions[-1])
        if told:
            known = {it.id: it.fate(self.time) for it in self.tokens if not it.is_forgotten(self.time)}
            if told != known:
                differ = set(told.items()) ^ set(known.items())
                raise Broken(f"{self.email} lists {len(told)} tokens of {len(known)}, that differ in {differ}")

    def listed(self, session):
        """All tokens of the list, page by page; nothing where a fault came between."""
        told, after = {}, ""
        while True:
            answer = self.traffic.ask(LIST.format(after=after), self.headers(session))
            if not self.expect({"200"}, answer, "lists tokens"):
                return None
            page = answer.json["data"]["me"]["accessTokens"]
            told |= {it["id"]: it["state"] for it in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                return told
            after = f', after: {json.dumps(page["pageInfo"]["endCursor"])}'

    # Rivals.

    def races(self, chance):
        """Several browsers make a token at once, and sometimes one revokes: one token at most is live."""
        if not self.live_sessions():
            return
        headers, before = self.headers(self.live_sessions()[-1]), self.live_tokens()
        expires = self.time.now + 86_400
        queries = [update(expires)] * chance.randint(3, 6) + [INVALIDATE] * chance.randint(0, 1)
        answers = list(RIVALS.map(lambda it: self.traffic.ask(it, headers), queries))
        made = []
        if "200" in [it.verdict for it in answers]:
            self.end_token("REPLACED")
        for query, answer in zip(queries, answers):
            is_done = self.expect({"200", "200 CONFLICT"}, answer, "races") and answer.verdict == "200"
            if is_done and query != INVALIDATE:
                made.append(Token(answer.json["data"]["updateAccessToken"]["sessionJwt"], self.time.now, expires))
        self.tokens += made
        self.settle(before + made, is_one_left=queries[-1] != INVALIDATE and bool(before + made))

    def settle(self, tokens, is_one_left):
        """Finds out which of rivals is live: one, or at most one where somebody revoked."""
        for token in tokens:
            answer = self.surely(token)
            told = {"200": "ACTIVE", "401 UNAUTHENTICATED TOKEN_REPLACED": "REPLACED", "401 UNAUTHENTICATED TOKEN_REVOKED": "REVOKED"}
            if answer.verdict not in told:
                raise Broken(f"{self.email}: a rival is {answer.verdict}: {answer.text[:500]}")
            token.state = told[answer.verdict]
            if token.state != "ACTIVE" and token.ended is None:
                token.ended = self.time.now
        live = len(self.live_tokens())
        if live > 1 or (is_one_left and live != 1):
            raise Broken(f"{self.email}: after {len(tokens)} rivals {live} tokens are live")

    def surely(self, credential):
        """Asks until no fault comes between."""
        for _ in range(PATIENCE):
            answer = self.traffic.ask("{ __typename }", self.headers(credential))
            if answer.status != 503:
                return answer
        raise Broken(f"{self.email}: a fault does not end: {answer.text}")


STEPS = [
    (Person.signs_in, 3),
    (Person.asks_by_session, 18),
    (Person.asks_by_token, 22),
    (Person.makes_a_token, 5),
    (Person.asks_for_another_time, 2),
    (Person.revokes, 3),
    (Person.logs_out, 2),
    (Person.opens_home, 4),
    (Person.tampers, 4),
    (Person.forges_their_own_cookie, 3),
    (Person.lists_tokens, 1),
    (Person.races, 2),
]
