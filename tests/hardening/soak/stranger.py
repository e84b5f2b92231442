"""What comes from outside: garbage, forgeries, pages, introspection."""

import json
import string

JSON = {"Content-Type": "application/json"}
NO_CREDENTIAL = "200 UNAUTHENTICATED NO_CREDENTIAL"
INTROSPECTION = "{ __schema { types { name fields { name type { name kind ofType { name } } } } } }"
BASE64URL = string.ascii_letters + string.digits + "-_"

# Bodies that are none, each with its verdict.
MALFORMED = [
    ("", "400 BAD_REQUEST"),
    ("NONSENSE", "400 BAD_REQUEST"),
    ("[]", "400 BAD_REQUEST"),
    ('{"query": 7}', "400 BAD_REQUEST"),
    ('[{"query": "{ __typename }"}]', "400 BAD_REQUEST"),
    ('{"query": "{ __typename }", "variables": [7]}', "400 BAD_REQUEST"),
    ('{"query":' + "[" * 5000, "400 BAD_REQUEST"),
    ('{"query": "{"}', "200 GRAPHQL_PARSE_FAILED"),
    ('{"query": "{ nothing }"}', "200 GRAPHQL_VALIDATION_FAILED"),
    ('{"query": "' + "{ a " * 40 + "} " * 40 + '"}', "200 GRAPHQL_VALIDATION_FAILED"),
    (json.dumps({"query": "{ __typename }", "pad": "a" * 257_000}), "413 BAD_REQUEST"),
]

# Pages and files, each with its status for who is not signed in.
PAGES = [
    ("/", 200),
    ("/home", 303),
    ("/api", 200),
    ("/healthz", 200),
    ("/.well-known/jwks.json", 200),
    ("/api/schema.graphql", 200),
    ("/login/development", 200),
    ("/login/nobody", 404),
    ("/callback?code=a&state=b", 400),
    ("/callback?state=a&state=b", 400),
    ("/static/nothing.js", 404),
    ("/nowhere", 404),
]
# How much of a form is read.
LONGEST_FORM = 4096


def text(chance, length):
    """Random characters of base64url."""
    return "".join(chance.choices(BASE64URL, k=length))


class Stranger:
    """Somebody outside. Each step answers what it expected, and what came."""

    def __init__(self, traffic):
        self.traffic = traffic

    def introspects(self, _):
        return {"200"}, self.traffic.ask(INTROSPECTION)

    def asks_for_nothing(self, chance):
        return {NO_CREDENTIAL}, self.traffic.ask(chance.choice(["{ me { role } }", "mutation { invalidateAccessToken { success } }"]))

    def opens_a_page(self, chance):
        path, status = chance.choice(PAGES)
        answer = self.traffic.send("GET", path, {"Accept": "text/html"})
        return {answer.verdict} if answer.status == status else {str(status)}, answer

    def sends_no_request(self, chance):
        body, verdict = chance.choice(MALFORMED)
        return {verdict}, self.traffic.send("POST", "/api", JSON, body)

    def sends_a_garbage_token(self, chance):
        segments = [text(chance, chance.randint(1, 200)) for _ in range(chance.randint(1, 5))]
        reason = "TOKEN_INVALID" if len(segments) == 3 else "TOKEN_MALFORMED"
        answer = self.traffic.ask("{ __typename }", {"Authorization": f"Bearer {'.'.join(segments)}"})
        return {f"401 UNAUTHENTICATED {reason}"}, answer

    def sends_no_token(self, chance):
        value = chance.choice(["Basic YWxpY2U6VA==", "Bearer", "Bearer a b", f"Bearer {'a' * 5000}", 'Bearer "a"'])
        return {"401 UNAUTHENTICATED TOKEN_MALFORMED"}, self.traffic.ask("{ __typename }", {"Authorization": value})

    def forges_a_cookie(self, chance):
        value = chance.choice(["a", "a.b", f"{text(chance, 22)}.{text(chance, 43)}", f"{'A' * 22}.{text(chance, 43)}"])
        headers = {"Cookie": f"arm_session={value}", "Origin": self.traffic.product.url}
        return {"401 UNAUTHENTICATED TOKEN_INVALID"}, self.traffic.ask("{ me { role } }", headers)

    def comes_from_another_site(self, chance):
        cookie = f"arm_session={text(chance, 22)}.{text(chance, 43)}"
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}
        query = "mutation { invalidateAccessToken { success } }"
        return {"403 FORBIDDEN CSRF_REJECTED"}, self.traffic.ask(query, headers)

    def fills_no_form(self, chance):
        body = chance.choice(["", "email=", "email=nobody", "e=a@b.test", "email=" + "a" * 5000])
        answer = self.traffic.send("POST", "/login/development", {"Origin": self.traffic.product.url}, body)
        return {"413 BAD_REQUEST" if len(body) > LONGEST_FORM else "400 BAD_REQUEST"}, answer


STEPS = [
    (Stranger.introspects, 2),
    (Stranger.asks_for_nothing, 3),
    (Stranger.opens_a_page, 6),
    (Stranger.sends_no_request, 4),
    (Stranger.sends_a_garbage_token, 5),
    (Stranger.sends_no_token, 3),
    (Stranger.forges_a_cookie, 5),
    (Stranger.comes_from_another_site, 2),
    (Stranger.fills_no_form, 2),
]
