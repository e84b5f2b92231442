"""Tests `sam local start-api` and `sam local invoke`."""

import base64
import json
import signal
import subprocess
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud import ROOT, free_port
from runner import run_all, test, wait_for
from visitor import Visitor
from world import ME, architecture

# The private key of the key in env.local.json. It is public: RFC 8032, section 7.1, test 1.
KEY = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
KID = "kPrK_qmx"
PUBLIC_URL = "http://localhost:3000"
OPTIONS = ["--template", sys.argv[1], "--env-vars", ROOT / "env.local.json", "--skip-pull-image"]
OPTIONS += ["--container-host", "127.0.0.1"]
OPTIONS += ["--parameter-overrides", f"Architecture={architecture()}"]
START_TIMEOUT = 120


class Local:
    """A running `sam local start-api`, and a client."""

    def __init__(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rsplit(":", 1)[1]
        command = ["sam", "local", "start-api", *OPTIONS, "--port", port]
        command += ["--warm-containers", "EAGER"]
        self.log = open(ROOT / ".tools/logs/start-api.log", "w+")
        self._process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        self.visitor = Visitor()

    def is_ready(self):
        """Returns whether both functions respond."""
        try:
            return self.visitor.open(f"{self.url}/healthz").status == 200
        except OSError:
            assert self._process.poll() is None, open(self.log.name).read()[-2000:]
            return False

    def stop(self):
        """Stops it and its containers."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


def token(expires):
    """Returns an API token with a valid signature that is not in any table."""
    claims = {"iss": PUBLIC_URL, "aud": f"{PUBLIC_URL}/api"}
    claims |= {"sub": "A" * 22, "tid": "A" * 22, "jti": "A" * 43}
    claims |= {"iat": expires - 3600, "exp": expires}
    head = '{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"%s"}' % KID
    parts = [head.encode(), json.dumps(claims, separators=(",", ":")).encode()]
    message = ".".join(base64url(it) for it in parts)
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(message.encode())
    return f"{message}.{base64url(signature)}"


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def reason(response):
    return response.json()["errors"][0]["extensions"].get("reason")


@test
def start_api_serves_both_functions(local):
    wait_for(local.is_ready, "sam local start-api", START_TIMEOUT)

    assert "Attack Resistance Management" in local.visitor.open(f"{local.url}/").text
    keys = local.visitor.open(f"{local.url}/.well-known/jwks.json").json()["keys"]
    assert keys[0]["kid"] == KID


@test
def introspection_works(local):
    response = local.visitor.query(f"{local.url}/api", "{ __schema { queryType { name } } }")

    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}, response.text


@test
def an_expired_token_is_rejected_without_a_table(local):
    response = local.visitor.query(f"{local.url}/api", ME, token(int(time.time()) - 60))

    assert response.status == 401, response.text
    assert reason(response) == "TOKEN_EXPIRED", response.text


@test
def a_request_that_needs_the_table_receives_503(local):
    response = local.visitor.query(f"{local.url}/api", ME, token(int(time.time()) + 3600))

    assert response.status == 503, response.text
    assert "Retry-After" in response.headers


@test
def invoke_returns_the_response_of_an_event(local):
    event = ROOT / "events/web-healthz.json"
    command = ["sam", "local", "invoke", *OPTIONS, "--event", event, "WebFunction"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 0, done.stderr[-2000:]
    response = json.loads(done.stdout.strip().splitlines()[-1])
    assert response["statusCode"] == 200, done.stdout


local = Local()
try:
    passed = run_all(local)
finally:
    local.stop()
sys.exit(not passed)
