"""Real servers in real processes: granian as `serve` starts it, whatever application; the processor time of all."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from microsite.cli.serve import SERVER_ENVIRON, granian_command
from microsite.config import PROJECT_ROOT, load_settings

MICROSITE = "microsite.served:app"
_START = 20
_STOP = 15
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Server:
    url: str
    pid: int

    def processor_seconds(self) -> float:
        """User and system time of every process of the server so far; to a hundredth (proc(5))."""
        return sum(_processor_seconds(pid) for pid in [self.pid, *_children(self.pid)])

    def resident_bytes(self) -> list[int]:
        """Memory of each process that answers."""
        return [_status(pid, "VmRSS") for pid in self._workers()]

    def peak_bytes(self) -> list[int]:
        """The most that each of them has ever had."""
        return [_status(pid, "VmHWM") for pid in self._workers()]

    def _workers(self) -> list[int]:
        return [pid for pid in _children(self.pid) if not _is_resource_tracker(pid)]


@contextmanager
def served(
    folder: Path,
    *,
    application: str = MICROSITE,
    environ: Mapping[str, str] | None = None,
    preload: Sequence[Path] = (),
) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, as `environ` sets it; its log and the installation are in `folder`."""
    port = str(free_port())
    site = {"MICROSITE_INSTANCE_PATH": str(folder), "PORT": port, **(environ or {})}
    settings = load_settings(site)
    command = [application if part == MICROSITE else part for part in granian_command(settings)]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env={**os.environ, **SERVER_ENVIRON, **site, **preloaded(preload)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            server = Server(url=f"http://127.0.0.1:{port}", pid=process.pid)
            _wait(server, process, folder / "server.log")
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def preloaded(shims: Sequence[Path]) -> dict[str, str]:
    """What a process's environment has more, for it to be run with them."""
    return {"LD_PRELOAD": " ".join(map(str, shims))} if shims else {}


def _wait(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until each of its processes has likely answered: they share the port."""
    until = time.monotonic() + _START
    answers = 0
    while answers < 20:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server of {server.url} doesn’t answer:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(server.url, timeout=_START).read()
            answers += 1
        except urllib.error.HTTPError:
            answers += 1
        except OSError:
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in path.read_text().split()]
    return [*found, *(below for child in found for below in _children(child))]


def _is_resource_tracker(pid: int) -> bool:
    return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _processor_seconds(pid: int) -> float:
    # The name, in parentheses, may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
