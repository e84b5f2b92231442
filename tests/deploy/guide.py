"""The commands of docs/operations.md, word for word, as the operator types them."""

import re

from cloud import ROOT

IN_GUIDE = "ana@example.com"
GUIDE = ROOT / "docs" / "operations.md"


class Guide:
    """The guide, in a shell whose variables stay from one section to the next."""

    def __init__(self, cloud, folder):
        self._cloud, self._folder = cloud, folder
        self._known = ["set -eu", *self._commands("Deploy")[1:]]

    def follow(self, section, step=0, email=None):
        """Types the commands of a section, or those of one of its steps; about a person, if one is named."""
        command = self._commands(section)[step]
        if email:
            assert IN_GUIDE in command
            command = command.replace(IN_GUIDE, email)
        script = "\n".join([*self._known, command])
        remember = "\nset | grep -E '^(OLD|NEW)=' || true"
        printed = self._cloud.run(["bash", "-c", script + remember], self._folder)
        self._known += re.findall(r"^(?:OLD|NEW)=.*$", printed, re.MULTILINE)
        return printed

    @staticmethod
    def _commands(section):
        """The blocks of shell commands of a section."""
        text = GUIDE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
        blocks = re.findall(r"^( *)```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        return [block.replace(f"\n{indent}", "\n").removeprefix(indent) for indent, block in blocks]
