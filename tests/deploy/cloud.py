"""An empty AWS emulator that enforces IAM, and the stack that is deployed to it."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
STACK = "arm-api"
OPERATOR = {"AWS_ACCESS_KEY_ID": "operator", "AWS_SECRET_ACCESS_KEY": "the-operators-secret"}
START_TIMEOUT = 30


class Cloud:
    """The AWS emulator, used with the credentials of the operator."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="arm-cloud-")
        self._port = free_port()
        self.url = f"http://localhost:{self._port}"
        self._process = subprocess.Popen(
            [ROOT / ".tools/emulator/bin/ministack"],
            cwd=self._folder.name,
            env=os.environ | OPERATOR | self._emulator_settings(),
            stdout=open(ROOT / ".tools/logs/ministack.log", "w"),
            stderr=subprocess.STDOUT,
        )
        tools = f"{ROOT / 'tests/deploy/bin'}:{os.environ['PATH']}:{ROOT / '.tools/emulator/bin'}"
        variables = {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION, "PATH": tools}
        self.environment = os.environ | OPERATOR | variables
        self._wait()

    def _emulator_settings(self):
        """Returns settings that keep the emulator on loopback, in a temporary directory."""
        return {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
            "S3_DATA_DIR": f"{self._folder.name}/s3",
            "STATE_DIR": f"{self._folder.name}/state",
            "TMPDIR": self._folder.name,
        }

    def _wait(self):
        end = time.monotonic() + START_TIMEOUT
        while True:
            try:
                return urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1).read()
            except OSError:
                is_starting = self._process.poll() is None and time.monotonic() < end
                assert is_starting, "ministack did not start"
                time.sleep(0.2)

    def client(self, service, **credentials):
        """Returns a client of a service, with the credentials of the operator by default."""
        operator = {
            "aws_access_key_id": OPERATOR["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": OPERATOR["AWS_SECRET_ACCESS_KEY"],
        }
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, **(credentials or operator)
        )

    def run(self, command, folder=ROOT):
        """Runs a command as the operator. Returns its output."""
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def outputs(self):
        """Returns the outputs of the stack."""
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}

    def resource(self, name):
        """Returns the physical ID of a resource of the stack."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=name
        )
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def stop(self):
        """Stops the emulator and the functions that it runs."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._folder.cleanup()


def free_port():
    """Returns an unused port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
