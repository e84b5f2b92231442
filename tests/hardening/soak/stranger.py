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


def text(rng, length):
    """Returns random base64url characters."""
    return "".join(rng.choices(BASE64URL, k=length))


class Stranger:
    """A client without a credential. Each step returns the expected results and the response."""

    def __init__(self, traffic):
        self.traffic = traffic

    def introspect(self, _):
        return {"200"}, self.traffic.query(INTROSPECTION)

    def send_no_credential(self, rng):
        queries = ["{ me { role } }", "mutation { invalidateAccessToken { success } }"]
        return {NO_CREDENTIAL}, self.traffic.query(rng.choice(queries))

    def open_page(self, rng):
        path, status = rng.choice(PAGES)
        response = self.traffic.send("GET", path, {"Accept": "text/html"})
        return {response.verdict} if response.status == status else {str(status)}, response

    def send_malformed_body(self, rng):
        body, verdict = rng.choice(MALFORMED)
        return {verdict}, self.traffic.send("POST", "/api", JSON, body)

    def send_random_token(self, rng):
        segments = [text(rng, rng.randint(1, 200)) for _ in range(rng.randint(1, 5))]
        reason = "TOKEN_INVALID" if len(segments) == 3 else "TOKEN_MALFORMED"
        headers = {"Authorization": f"Bearer {'.'.join(segments)}"}
        response = self.traffic.query("{ __typename }", headers)
        return {f"401 UNAUTHENTICATED {reason}"}, response

    def send_malformed_header(self, rng):
        long = f"Bearer {'a' * 5000}"
        values = ["Basic YWxpY2U6VA==", "Bearer", "Bearer a b", long, 'Bearer "a"']
        response = self.traffic.query("{ __typename }", {"Authorization": rng.choice(values)})
        return {"401 UNAUTHENTICATED TOKEN_MALFORMED"}, response

    def forge_cookie(self, rng):
        secret = text(rng, 43)
        users = [text(rng, 22), "A" * 22]
        value = rng.choice(["a", "a.b", *(f"{user}.{secret}" for user in users)])
        headers = {"Cookie": f"arm_session={value}", "Origin": self.traffic.product.url}
        return {"401 UNAUTHENTICATED TOKEN_INVALID"}, self.traffic.query("{ me { role } }", headers)

    def send_from_another_site(self, rng):
        cookie = f"arm_session={text(rng, 22)}.{text(rng, 43)}"
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}
        query = "mutation { invalidateAccessToken { success } }"
        return {"403 FORBIDDEN CSRF_REJECTED"}, self.traffic.query(query, headers)

    def send_invalid_form(self, rng):
        body = rng.choice(["", "email=", "email=nobody", "e=a@b.test", "email=" + "a" * 5000])
        headers = {"Origin": self.traffic.product.url}
        response = self.traffic.send("POST", "/login/development", headers, body)
        return {"413 BAD_REQUEST" if len(body) > MAX_FORM_SIZE else "400 BAD_REQUEST"}, response


STEPS = [
    (Stranger.introspect, 2),
    (Stranger.send_no_credential, 3),
    (Stranger.open_page, 6),
    (Stranger.send_malformed_body, 4),
    (Stranger.send_random_token, 5),
    (Stranger.send_malformed_header, 3),
    (Stranger.forge_cookie, 5),
    (Stranger.send_from_another_site, 2),
    (Stranger.send_invalid_form, 2),
]
