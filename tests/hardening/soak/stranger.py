"""Requests without a valid credential: malformed, forged, pages and introspection."""

import json
import string

JSON = {"Content-Type": "application/json"}
NO_CREDENTIAL = "200 UNAUTHENTICATED NO_CREDENTIAL"
INTROSPECTION = "{ __schema { types { name fields { name type { name kind ofType { name } } } } } }"
BASE64URL = string.ascii_letters + string.digits + "-_"

# Malformed bodies with the expected result.
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

# Paths with the expected status without a session.
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
# The maximum size of a form.
MAX_FORM_SIZE = 4096


def text(chance, length):
    """Returns random base64url characters."""
    return "".join(chance.choices(BASE64URL, k=length))


class Stranger:
    """A client without a credential. Each step returns the expected results and the response."""

    def __init__(self, traffic):
        self.traffic = traffic

    def introspects(self, _):
        return {"200"}, self.traffic.ask(INTROSPECTION)

    def sends_no_credential(self, chance):
        queries = ["{ me { role } }", "mutation { invalidateAccessToken { success } }"]
        return {NO_CREDENTIAL}, self.traffic.ask(chance.choice(queries))

    def opens_a_page(self, chance):
        path, status = chance.choice(PAGES)
        answer = self.traffic.send("GET", path, {"Accept": "text/html"})
        return {answer.verdict} if answer.status == status else {str(status)}, answer

    def sends_a_malformed_body(self, chance):
        body, verdict = chance.choice(MALFORMED)
        return {verdict}, self.traffic.send("POST", "/api", JSON, body)

    def sends_a_random_token(self, chance):
        segments = [text(chance, chance.randint(1, 200)) for _ in range(chance.randint(1, 5))]
        reason = "TOKEN_INVALID" if len(segments) == 3 else "TOKEN_MALFORMED"
        headers = {"Authorization": f"Bearer {'.'.join(segments)}"}
        answer = self.traffic.ask("{ __typename }", headers)
        return {f"401 UNAUTHENTICATED {reason}"}, answer

    def sends_a_malformed_header(self, chance):
        long = f"Bearer {'a' * 5000}"
        values = ["Basic YWxpY2U6VA==", "Bearer", "Bearer a b", long, 'Bearer "a"']
        answer = self.traffic.ask("{ __typename }", {"Authorization": chance.choice(values)})
        return {"401 UNAUTHENTICATED TOKEN_MALFORMED"}, answer

    def forges_a_cookie(self, chance):
        secret = text(chance, 43)
        users = [text(chance, 22), "A" * 22]
        value = chance.choice(["a", "a.b", *(f"{user}.{secret}" for user in users)])
        headers = {"Cookie": f"arm_session={value}", "Origin": self.traffic.product.url}
        return {"401 UNAUTHENTICATED TOKEN_INVALID"}, self.traffic.ask("{ me { role } }", headers)

    def comes_from_another_site(self, chance):
        cookie = f"arm_session={text(chance, 22)}.{text(chance, 43)}"
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}
        query = "mutation { invalidateAccessToken { success } }"
        return {"403 FORBIDDEN CSRF_REJECTED"}, self.traffic.ask(query, headers)

    def sends_an_invalid_form(self, chance):
        body = chance.choice(["", "email=", "email=nobody", "e=a@b.test", "email=" + "a" * 5000])
        headers = {"Origin": self.traffic.product.url}
        answer = self.traffic.send("POST", "/login/development", headers, body)
        return {"413 BAD_REQUEST" if len(body) > MAX_FORM_SIZE else "400 BAD_REQUEST"}, answer


STEPS = [
    (Stranger.introspects, 2),
    (Stranger.sends_no_credential, 3),
    (Stranger.opens_a_page, 6),
    (Stranger.sends_a_malformed_body, 4),
    (Stranger.sends_a_random_token, 5),
    (Stranger.sends_a_malformed_header, 3),
    (Stranger.forges_a_cookie, 5),
    (Stranger.comes_from_another_site, 2),
    (Stranger.sends_an_invalid_form, 2),
]
