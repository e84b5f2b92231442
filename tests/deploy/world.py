"""What the stories of a deployment share: the cloud, the product on it, a provider, and Ana."""

import base64
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from cloud import ROOT, Cloud
from guide import Guide
from visitor import Visitor, session_cookie

ANA = "ana@acme.test"
ME = "{ me { userEmail } }"


class World:
    """The world, as the stories before have left it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="arm-operator-")
        self.folder = Path(self._folder.name)
        (self.folder / "operations").symlink_to(ROOT / "operations")
        self.cloud = Cloud()
        self.guide = Guide(self.cloud, self.folder)
        self.ana = Visitor()
        self.product = self.api = self.provider = None
        self.tokens = {}

    def deploy(self, *overrides):
        """Deploys the stack; what is not named stays as it was."""
        self.cloud.run(["sam", "deploy", "--parameter-overrides", *overrides], self.folder)
        outputs = self.cloud.outputs()
        self.product, self.api = outputs["WebUrl"], outputs["ApiUrl"]

    def start_provider(self):
        """Starts an identity provider, and writes down what the product is to be told of it."""
        script = ROOT / "tests/deploy/provider.mjs"
        self.provider = subprocess.Popen(
            ["node", script, self.product], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        entry = json.loads(self.provider.stdout.readline())
        (self.folder / "providers.json").write_text(json.dumps([entry]))
        return entry

    def new_token(self, name, seconds=86400):
        """Ana makes an API token by her session, and the world remembers it."""
        answer = self.ana.ask(self.api, new_token(seconds)).json()
        assert "errors" not in answer, answer
        self.tokens[name] = answer["data"]["updateAccessToken"]["sessionJwt"]

    def holds(self, name):
        """Whether a token lets its owner in."""
        answer = self.ana.ask(self.api, ME, token=self.tokens[name])
        return answer.status == 200 and answer.json() == {"data": {"me": {"userEmail": ANA}}}

    def reason(self, name):
        """Why a token is refused."""
        answer = self.ana.ask(self.api, ME, token=self.tokens[name])
        assert answer.status == 401, f"{answer.status}: {answer.text}"
        return answer.json()["errors"][0]["extensions"]["reason"]

    def kid(self, name):
        """By which key a token is signed."""
        return part(self.tokens[name], 0)["kid"]

    def known_kids(self):
        """The keys that the product shows."""
        return {key["kid"] for key in self.ana.open(f"{self.product}/.well-known/jwks.json").json()["keys"]}

    def variable(self, function, name):
        """What a function of the stack has in a variable of its environment."""
        found = self.cloud.client("lambda").get_function_configuration(FunctionName=self.cloud.resource(function))
        return found["Environment"]["Variables"][name]

    def record(self, name):
        """The key of a token's record in the table."""
        claims = part(self.tokens[name], 1)
        return {"PK": {"S": f"U#{claims['sub']}"}, "SK": {"S": f"T#{claims['tid']}"}}

    def secrets(self):
        """All that no log may hold."""
        session = self.ana.cookies(self.product)[session_cookie(self.product)]
        provider = json.loads((self.folder / "providers.json").read_text())[0]["clientSecret"]
        return [session, session.split(".")[-1], provider, ANA, *self.tokens.values()]

    def stop(self):
        """Ends all that was started."""
        if self.provider:
            self.provider.stdin.close()
            self.provider.wait(10)
        self.cloud.stop()
        self._folder.cleanup()


def new_token(seconds):
    """The mutation of the seed, for a token that lives so long."""
    return f"mutation {{ updateAccessToken(expirationTime: {int(time.time()) + seconds}) {{ sessionJwt }} }}"


def part(token, index):
    """A part of a JWT, read."""
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def architecture():
    """What the functions were built for."""
    return "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64"
