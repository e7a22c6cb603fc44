"""A real IMAP server (Dovecot) on 127.0.0.1, with one account, « rapports », whose password is « sesame »."""

import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .served import free_port

_PROGRAM = "/usr/sbin/dovecot"
_PATIENCE = 60
_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
{users}
passdb {{
  driver = static
  args = password=sesame
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
"""


def is_installed() -> bool:
    return Path(_PROGRAM).exists()


class ImapServer:
    def __init__(self, port: int, tls_port: int) -> None:
        self.port, self.tls_port = port, tls_port

    def put(self, *messages: bytes) -> None:
        """New messages in the inbox."""
        with self._inbox() as server:
            for message in messages:
                status, answer = server.append("INBOX", "", "", message.replace(b"\n", b"\r\n"))
                assert status == "OK", answer

    def empty(self) -> None:
        """No message is left in the inbox."""
        with self._inbox() as server:
            # By UIDs, since an empty inbox has no message 1.
            server.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
            server.expunge()

    def flags(self) -> list[str]:
        """Of each message, in their order."""
        with self._inbox() as server:
            lines = server.fetch("1:*", "(FLAGS)")[1]
            return [
                line.decode().partition("FLAGS (")[2].partition(")")[0] for line in lines if isinstance(line, bytes)
            ]

    @contextmanager
    def _inbox(self) -> Iterator[imaplib.IMAP4]:
        server = imaplib.IMAP4("127.0.0.1", self.port, timeout=_PATIENCE)
        server.login("rapports", "sesame")
        server.select("INBOX")
        try:
            yield server
        finally:
            server.logout()


@contextmanager
def imap_server(*, certificate: Path | None = None) -> Iterator[ImapServer]:
    """`certificate` is a file with the server's certificate and its key."""
    # Its own users must get there, which they don't in pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="imap-", dir="/tmp"))
    folder.chmod(0o755)
    server = ImapServer(free_port(), free_port())
    (folder / "mail").mkdir()
    (folder / "dovecot.conf").write_text(_configuration(folder, server, certificate))
    process = subprocess.Popen([_PROGRAM, "-F", "-c", folder / "dovecot.conf"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(server, folder)
        yield server
    finally:
        process.terminate()
        process.wait(_PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(folder: Path, server: ImapServer, certificate: Path | None) -> str:
    me, is_root = pwd.getpwuid(os.getuid()), os.getuid() == 0
    # It refuses to read mails as root.
    owner = pwd.getpwnam("nobody") if is_root else me
    if is_root:
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    users = f"default_internal_user = {me.pw_name}\ndefault_login_user = {me.pw_name}"
    return _CONFIGURATION.format(
        folder=folder,
        ssl="yes" if certificate else "no",
        certificate=f"ssl_cert = <{certificate}\nssl_key = <{certificate}" if certificate else "",
        users="" if is_root else users,
        chroot="" if is_root else "chroot =",
        uid=owner.pw_uid,
        gid=owner.pw_gid,
        port=server.port,
        tls_port=server.tls_port if certificate else 0,
    )


def _wait_for(server: ImapServer, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with server._inbox():
                return
        except (OSError, imaplib.IMAP4.error):
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
