"""`sam local start-api` and `sam local invoke`, with what the README tells their users."""

import base64
import json
import signal
import subprocess
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud import ROOT, free_port
from stories import eventually, story, tell_all
from visitor import Visitor
from world import architecture

# The private half of the key in env.local.json, which everybody knows: RFC 8032, 7.1, test 1.
KEY = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
KID = "kPrK_qmx"
PUBLIC_URL = "http://localhost:3000"
COMMON = ["--template", sys.argv[1], "--env-vars", ROOT / "env.local.json", "--skip-pull-image"]
COMMON += ["--container-host", "127.0.0.1", "--parameter-overrides", f"Architecture={architecture()}"]
STARTS_WITHIN = 120


class Local:
    """`sam local start-api`, and somebody who visits it."""

    def __init__(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rsplit(":", 1)[1]
        command = ["sam", "local", "start-api", *COMMON, "--port", port, "--warm-containers", "EAGER"]
        self.log = open(ROOT / ".tools/logs/start-api.log", "w+")
        self._process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        self.visitor = Visitor()

    def answers(self):
        """Whether both functions can be asked."""
        try:
            return self.visitor.open(f"{self.url}/healthz").status == 200
        except OSError:
            assert self._process.poll() is None, open(self.log.name).read()[-2000:]
            return False

    def stop(self):
        """Ends it, and the containers that it keeps warm."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


def token(expires):
    """An API token whose signature and form are right; no table knows it."""
    claims = {"iss": PUBLIC_URL, "aud": f"{PUBLIC_URL}/api", "sub": "A" * 22, "tid": "A" * 22, "jti": "A" * 43}
    claims |= {"iat": expires - 3600, "exp": expires}
    head = '{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"%s"}' % KID
    parts = [head.encode(), json.dumps(claims, separators=(",", ":")).encode()]
    message = ".".join(base64url(it) for it in parts)
    return f"{message}.{base64url(Ed25519PrivateKey.from_private_bytes(KEY).sign(message.encode()))}"


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def reason(answer):
    return answer.json()["errors"][0]["extensions"].get("reason")


@story
def start_api_serves_both_functions(local):
    eventually(local.answers, "sam local start-api", STARTS_WITHIN)

    assert "Attack Resistance Management" in local.visitor.open(f"{local.url}/").text
    assert local.visitor.open(f"{local.url}/.well-known/jwks.json").json()["keys"][0]["kid"] == KID


@story
def the_schema_can_be_asked_for(local):
    answer = local.visitor.ask(f"{local.url}/api", "{ __schema { queryType { name } } }")

    assert answer.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}, answer.text


@story
def an_expired_token_is_told_so_without_a_table(local):
    answer = local.visitor.ask(f"{local.url}/api", "{ me { userEmail } }", token(int(time.time()) - 60))

    assert (answer.status, reason(answer)) == (401, "TOKEN_EXPIRED"), answer.text


@story
def what_needs_the_table_is_answered_503(local):
    answer = local.visitor.ask(f"{local.url}/api", "{ me { userEmail } }", token(int(time.time()) + 3600))

    assert answer.status == 503 and "Retry-After" in answer.headers, answer.text


@story
def invoke_answers_an_event(local):
    command = ["sam", "local", "invoke", *COMMON, "--event", ROOT / "events/web-healthz.json", "WebFunction"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    assert printed.returncode == 0, printed.stderr[-2000:]
    assert json.loads(printed.stdout.strip().splitlines()[-1])["statusCode"] == 200, printed.stdout


local = Local()
try:
    good = tell_all(local)
finally:
    local.stop()
sys.exit(not good)
