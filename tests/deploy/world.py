"""State that the tests of a deployment share: the stack, a provider, and the user Ana."""

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
    """The state that the previous tests left."""

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
        """Deploys the stack. Other parameters keep their values."""
        command = ["sam", "deploy", "--parameter-overrides", *overrides]
        self.cloud.run(command, self.folder)
        outputs = self.cloud.outputs()
        self.product, self.api = outputs["WebUrl"], outputs["ApiUrl"]

    def start_provider(self):
        """Starts an identity provider and writes `providers.json`. Returns the entry."""
        script = ROOT / "tests/deploy/provider.mjs"
        self.provider = subprocess.Popen(
            ["node", script, self.product],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        entry = json.loads(self.provider.stdout.readline())
        (self.folder / "providers.json").write_text(json.dumps([entry]))
        return entry

    def new_token(self, name, seconds=86400):
        """Creates an API token in Ana's session and stores it under a name."""
        response = self.ana.query(self.api, new_token(seconds)).json()
        assert "errors" not in response, response
        self.tokens[name] = response["data"]["updateAccessToken"]["sessionJwt"]

    def is_valid(self, name):
        """Returns whether a token is valid."""
        response = self.ana.query(self.api, ME, token=self.tokens[name])
        return response.status == 200 and response.json() == {"data": {"me": {"userEmail": ANA}}}

    def reason(self, name):
        """Returns the reason why a token is rejected."""
        response = self.ana.query(self.api, ME, token=self.tokens[name])
        assert response.status == 401, f"{response.status}: {response.text}"
        return response.json()["errors"][0]["extensions"]["reason"]

    def kid(self, name):
        """Returns the ID of the key that signed a token."""
        return part(self.tokens[name], 0)["kid"]

    def known_kids(self):
        """Returns the IDs of the published keys."""
        jwks = self.ana.open(f"{self.product}/.well-known/jwks.json").json()
        return {key["kid"] for key in jwks["keys"]}

    def variable(self, function, name):
        """Returns an environment variable of a function."""
        found = self.cloud.client("lambda").get_function_configuration(
            FunctionName=self.cloud.resource(function)
        )
        return found["Environment"]["Variables"][name]

    def set_role(self, role):
        """Gives Ana a role on the platform, by a change of her record in the table."""
        dynamodb, table = self.cloud.client("dynamodb"), self.cloud.outputs()["TableName"]
        address = {"PK": {"S": f"E#{ANA}"}, "SK": {"S": "E"}}
        user = dynamodb.get_item(TableName=table, Key=address)["Item"]["user"]["S"]
        dynamodb.update_item(
            TableName=table,
            Key={"PK": {"S": f"U#{user}"}, "SK": {"S": "P"}},
            UpdateExpression="SET #role = :role",
            ExpressionAttributeNames={"#role": "role"},
            ExpressionAttributeValues={":role": {"S": role}},
        )

    def record(self, name):
        """Returns the key of a token's record in the table."""
        claims = part(self.tokens[name], 1)
        return {"PK": {"S": f"U#{claims['sub']}"}, "SK": {"S": f"T#{claims['tid']}"}}

    def secrets(self):
        """Returns all values that logs must not contain."""
        session = self.ana.cookies(self.product)[session_cookie(self.product)]
        providers = json.loads((self.folder / "providers.json").read_text())
        client_secret = providers[0]["clientSecret"]
        return [session, session.split(".")[-1], client_secret, ANA, *self.tokens.values()]

    def stop(self):
        """Stops the provider and the emulator."""
        if self.provider:
            self.provider.stdin.close()
            self.provider.wait(10)
        self.cloud.stop()
        self._folder.cleanup()


def new_token(seconds):
    """Returns the mutation that creates a token with this lifetime."""
    expires = int(time.time()) + seconds
    return f"mutation {{ updateAccessToken(expirationTime: {expires}) {{ sessionJwt }} }}"


def part(token, index):
    """Returns a decoded part of a JWT."""
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def architecture():
    """Returns the processor architecture of the functions."""
    return "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64"
