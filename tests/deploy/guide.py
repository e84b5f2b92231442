"""Runs the commands of docs/operations.md."""

import re

from cloud import ROOT

IN_GUIDE = "ana@example.com"
GUIDE = ROOT / "docs" / "operations.md"


class Guide:
    """The commands of the guide. Shell variables are kept between sections."""

    def __init__(self, cloud, folder):
        self._cloud, self._folder = cloud, folder
        self._setup = ["set -eu", *self._commands("Deploy")[1:]]

    def run(self, section, step=0, email=None):
        """Runs one step of a section, for a user if `email` is given. Returns the output."""
        command = self._commands(section)[step]
        if email:
            assert IN_GUIDE in command
            command = command.replace(IN_GUIDE, email)
        script = "\n".join([*self._setup, command])
        print_variables = "\nset | grep -E '^(OLD|NEW)=' || true"
        printed = self._cloud.run(["bash", "-c", script + print_variables], self._folder)
        self._setup += re.findall(r"^(?:OLD|NEW)=.*$", printed, re.MULTILINE)
        return printed

    @staticmethod
    def _commands(section):
        """Returns the shell code blocks of a section."""
        text = GUIDE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
        blocks = re.findall(r"^( *)```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        return [block.replace(f"\n{indent}", "\n").removeprefix(indent) for indent, block in blocks]
