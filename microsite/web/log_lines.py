"""How log lines look, in text or JSON: when, how bad, in which request, what; never whose data.

A fault is told by its kind and its frames. What it says of itself may be somebody's data (an address that a driver
quotes, say), and so may values: neither stands in a line, and what looks like an address is taken out of all of them.
"""

import contextlib
import io
import json
import logging
import re
import select
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

from flask import Flask, has_app_context

from ..config import Settings
from .request_ids import find_request_id

_ADDRESS = re.compile(r"[^\s<>\"'(),;:=]+@[^\s<>\"'(),;]+")
# Seconds that a line waits for others, and how many may wait: when what they are written to is stuck, so is who writes.
_GATHERED = 0.02
_MOST_WAITING = 5_000
# Seconds that a process which ends waits for that.
_PATIENCE = 2
# granian's own, which writes to handlers of its own.
_SERVER = "_granian"


class _LineFormatter(logging.Formatter):
    """Text: one line, frames of a fault below it."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname} [{_where(record)}] {_message(record)}"
        frames = _frames(record)
        return f"{line}\n{frames}" if frames else line


class _JsonFormatter(_LineFormatter):
    """JSON: one object a line, frames included."""

    def format(self, record: logging.LogRecord) -> str:
        values = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "request": _where(record),
            "message": _message(record),
        }
        if frames := _frames(record):
            values["fault"] = frames
        return json.dumps(values, ensure_ascii=False)


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in its stubs alone
    """One for the process, whatever number of applications it has.

    What is written at once is whole lines, and no more than the system keeps together (PIPE_BUF), so that it needs no
    lock: threads would wait for each other, longer than a kept page takes.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: deque[str] = deque()
        self._is_any = threading.Event()
        # Who writes what is gathered; None where each line is written by itself.
        self._writer: threading.Thread | None = None

    def gather(self) -> None:
        """From now on a line waits a moment for others, but for warnings, which take them along.

        To write lets another thread go on, which takes as long as all the rest of giving a kept page.
        """
        self._writer = threading.Thread(target=self._write_gathered, daemon=True, name="log")
        self._writer.start()

    def stop_gathering(self) -> None:
        """Once all that waits is written, or a moment later where what it is written to is stuck."""
        writer, self._writer = self._writer, None
        self._is_any.set()
        if writer is not None:
            writer.join(_PATIENCE)
        self._write()

    def handle(self, record: logging.LogRecord) -> bool:
        try:
            self._waiting.append(f"{self.format(record)}\n")
            if self._writer is None or record.levelno >= logging.WARNING or len(self._waiting) > _MOST_WAITING:
                self._write()
            elif not self._is_any.is_set():
                self._is_any.set()
        except Exception:  # what logging itself does with a full disk, or with a line that it can't make
            self.handleError(record)
        return True

    def _write_gathered(self) -> None:
        while self._writer is threading.current_thread():
            self._is_any.wait()
            time.sleep(_GATHERED)
            self._is_any.clear()
            with contextlib.suppress(Exception):  # as lost as what logging itself can't write
                self._write()

    def _write(self) -> None:
        piece: list[str] = []
        size = 0
        with contextlib.suppress(IndexError):
            while True:
                line = self._waiting.popleft()
                length = len(line) if line.isascii() else len(line.encode(errors="backslashreplace"))
                if piece and size + length > select.PIPE_BUF:
                    self.stream.write("".join(piece))
                    piece, size = [], 0
                piece.append(line)
                size += length
        if piece:
            self.stream.write("".join(piece))


def init_app(app: Flask, settings: Settings) -> None:
    formatter = _JsonFormatter() if settings.log_format == "json" else _LineFormatter()
    root = logging.getLogger()
    handler = next((one for one in root.handlers if isinstance(one, LineHandler)), None)
    if handler is None:
        handler = LineHandler(_unbuffered_errors())
        root.addHandler(handler)
        logging.getLogger("microsite").setLevel(logging.INFO)
    app.extensions["log"] = handler
    for one in (handler, *logging.getLogger(_SERVER).handlers):
        one.setFormatter(formatter)


def _unbuffered_errors() -> TextIO:
    return io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)


def told_fault(error: BaseException) -> str:
    """Kind and frames of a fault and of those that led to it, without what they say."""
    lines = traceback.format_tb(error.__traceback__)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    led = [told_fault(cause), "which led to:\n"] if cause is not None else []
    return "".join([*led, *lines, f"{type(error).__module__}.{type(error).__qualname__}\n"])


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    return _ADDRESS.sub("…@…", message) if "@" in message else message


def _frames(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return _ADDRESS.sub("…@…", told_fault(error)).rstrip() if error else ""


def _time(record: logging.LogRecord) -> str:
    second = int(record.created)
    return f"{_second(second)}.{int((record.created - second) * 1000):03}+00:00"


@lru_cache(1)
def _second(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%S}"


def _where(record: logging.LogRecord) -> str:
    """The request, or the worker's thread."""
    found = getattr(record, "request", None) or (find_request_id() if has_app_context() else None)
    return found or (record.threadName or "-").replace("MainThread", "-")
