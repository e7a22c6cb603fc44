"""A machine on which the commands of docs/deploy are run: its folders are a test's own."""

import os
import re
import subprocess
import sys
from pathlib import Path

from microsite.config import PROJECT_ROOT

from .answers import complete_school
from .served import clean_environ

_PROGRAM = "microsite templates static docs wsgi.py requirements.txt"
# Without what other tests are compiling meanwhile.
_CLONE = f'mkdir "$3" && tar -c -C "{PROJECT_ROOT}" --exclude=__pycache__ {_PROGRAM} | tar -x -C "$3"'
# As systemd.exec(5) says of these options: settings from the file, the folder, then the command.
_RUN = """
while [ "${1#--}" != "$1" ]; do
  case "$1" in
    --working-directory=*) cd "${1#*=}" ;;
    --property=EnvironmentFile=*) set -a; . "${1#*=EnvironmentFile=}"; set +a ;;
    --property=UMask=*) umask "${1##*=}" ;;
    --quiet|--collect|--wait|--pipe|--uid=microsite|--gid=microsite) ;;
    *) echo "unknown: $1" >&2; exit 1 ;;
  esac
  shift
done
exec "$@"
"""


class Machine:
    """Runs the document's commands with the folders of a machine under one of the test's own.

    Stand-ins for what changes the machine itself or fetches: adduser, systemctl, systemd-run, git, the environment.
    """

    def __init__(self, root: Path, document: str) -> None:
        self.root = root
        self._document = document
        self._out: list[str] = []
        for folder in ("bin", "srv", "usr/local/bin", "etc/systemd/system"):
            (root / folder).mkdir(parents=True)
        stands_in = {
            "adduser": 'echo "adduser $*"',
            # What starts brings the database up to date.
            "systemctl": 'echo "systemctl $*"; case $1 in start|enable) microsite db upgrade ;; esac',
            "git": f'[ "$1" != clone ] || {{ {_CLONE}; }}',
            "python3": f"""
mkdir -p .venv/bin && cd .venv/bin
printf '#!/bin/sh\\nexec {sys.executable} "$@"\\n' > python
printf '#!/bin/sh\\nexec {sys.executable} -m flask "$@"\\n' > flask
printf '#!/bin/sh\\n' > pip
chmod +x python flask pip""",
            "systemd-run": _RUN,
        }
        for name, body in stands_in.items():
            (root / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (root / "bin" / name).chmod(0o755)

    def blocks(self, heading: str) -> list[str]:
        section = self._document.partition(f"{heading}\n")[2].partition("\n## ")[0]
        return re.findall(r"```text\n(.*?)```", section, re.S)

    def run(self, commands: str) -> None:
        backups = sorted((self.root / "srv/microsite/instance/backups").glob("*.gz"))
        newest = str(backups[-1].name) if backups else ""
        text = commands.replace("sauvegarde-….tar.gz", newest)
        for there in ("/srv/", "/etc/", "/usr/local/bin/"):
            text = text.replace(there, f"{self.root}{there}")
        account = f"-o {os.geteuid()} -g {os.getegid()}"
        text = text.replace("-o microsite -g microsite", account)
        # It ends with 1 while there is something to do.
        text = text.replace("microsite ops check", "microsite ops check || [ $? = 1 ]")
        program = self.root / "srv/microsite"
        ran = subprocess.run(
            ["sh", "-euc", text],
            cwd=program if program.exists() else self.root,
            env=clean_environ() | {"PATH": f"{self.root}/bin:{self.root}/usr/local/bin:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        self._adapt_command()
        self._out.append(ran.stdout)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def complete_school(self) -> None:
        complete_school(self.root / "srv/microsite/instance")

    def write_settings(self, text: str) -> None:
        """No mail server is here."""
        kept = [line for line in text.splitlines() if "_SMTP_" not in line]
        (self.root / "etc/microsite.env").write_text("\n".join(kept) + "\n")

    def said(self) -> str:
        return "".join(self._out)

    def last(self) -> str:
        return self._out[-1]

    def _adapt_command(self) -> None:
        """Its paths are those of a machine."""
        command = self.root / "usr/local/bin/microsite"
        text = command.read_text() if command.exists() else ""
        if text and str(self.root) not in text:
            command.write_text(text.replace("/srv/", f"{self.root}/srv/").replace("/etc/", f"{self.root}/etc/"))
