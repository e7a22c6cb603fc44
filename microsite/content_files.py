"""Reading what the school writes: where a file is found, and mistakes told in one line."""

import hashlib
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .config import StartError

SHIPPED = Path(__file__).resolve().parent / "content"
# A value that still waits for the school's own words begins like this.
PLACEHOLDER = "[à compléter"

_LARGEST = 20_000

_KINDS = {
    str: "un texte entre guillemets",
    list: "une liste entre crochets",
    dict: "un groupe de clés",
    int: "un nombre entier",
    date: "une date sans guillemets, comme 2027-02-06",
}


class ContentError(StartError):
    """A mistake in a content file: the file, the line or key, and what is expected there."""

    def __init__(self, file: str, where: str, expected: str) -> None:
        super().__init__(f"Contenu : {file}, {where} : {expected}.")


class Folders:
    """The content folders, the first one that has a file wins: the installation's, then the shipped one."""

    def __init__(self, instance_path: Path) -> None:
        self.paths: tuple[Path, ...] = (instance_path / "content", SHIPPED)

    def find(self, name: str) -> Path | None:
        return next((path / name for path in self.paths if (path / name).is_file()), None)

    def read(self, name: str) -> str:
        path = self.find(name)
        if path is None:
            raise ContentError(name, "fichier", "ce fichier doit exister")
        try:
            return path.read_text(encoding="utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise ContentError(self.label(name), f"octet {error.start + 1}", "le fichier doit être en UTF-8") from None
        except OSError as error:
            raise ContentError(self.label(name), "lecture", f"un fichier lisible ({error.strerror})") from None

    def label(self, name: str) -> str:
        """How a message names the file: the installation's own, or the shipped one."""
        return f"instance/content/{name}" if (self.paths[0] / name).is_file() else name

    def check_names(self, known: Sequence[str]) -> None:
        """Refuse a file of the installation that replaces or adds nothing: most often its name is mistyped."""
        own = self.paths[0]
        for path in sorted(own.rglob("*")):
            name = path.relative_to(own)
            is_hidden = any(part.startswith(".") for part in name.parts)
            if path.is_file() and not is_hidden and not any(name.match(pattern) for pattern in known):
                raise ContentError(f"instance/content/{name}", "nom du fichier", f"l’un de {', '.join(known)}")

    def names(self, pattern: str) -> list[str]:
        """Names that match, relative to the content folder, each once, in alphabetical order."""
        found = {found.relative_to(path).as_posix() for path in self.paths for found in path.glob(pattern)}
        return sorted(found)


class Table:
    """A TOML table read key by key: a missing, mistyped or unknown key is a ContentError."""

    def __init__(self, file: str, values: dict[str, Any], prefix: str = "") -> None:
        self.file = file
        self.prefix = prefix
        self._values = values
        self._read: set[str] = set()

    def text(self, key: str, *, limit: int = 500) -> str:
        value: str = self._value(key, str)
        if not value.strip() or len(value) > limit:
            raise self.error(key, f"un texte de 1 à {limit} caractères")
        return value.strip()

    def text_or_none(self, key: str) -> str | None:
        return self.text(key) if key in self._values else None

    def number(self, key: str) -> int:
        """A positive one: a year, a size in pixels."""
        value: int = self._value(key, int)
        if not 1 <= value <= _LARGEST:
            raise self.error(key, f"un nombre entier de 1 à {_LARGEST}")
        return value

    def date_or_none(self, key: str) -> date | None:
        day: date | None = self._value(key, date) if key in self._values else None
        return day

    def table(self, key: str) -> "Table":
        return Table(self.file, self._value(key, dict), f"{self.prefix}{key}.")

    def table_or_empty(self, key: str) -> "Table":
        return self.table(key) if key in self._values else Table(self.file, {}, f"{self.prefix}{key}.")

    def tables(self, key: str) -> list["Table"]:
        """An array of tables ([[key]]), none if absent."""
        if key not in self._values:
            return []
        rows = self._value(key, list)
        if not all(isinstance(row, dict) for row in rows):
            raise self.error(key, f"des groupes [[{self.prefix}{key}]]")
        return [Table(self.file, row, f"{self.prefix}{key}[{i}].") for i, row in enumerate(rows, start=1)]

    def names(self) -> list[str]:
        return list(self._values)

    def finish(self) -> None:
        """Call after the last read: a key that nobody asked for is most often a slip of the pen."""
        unknown = [key for key in self._values if key not in self._read]
        if unknown:
            expected = ", ".join(sorted(self._read))
            raise self.error(unknown[0], f"clé inconnue ; les clés attendues sont {expected}")

    def error(self, key: str, expected: str) -> ContentError:
        return ContentError(self.file, f"clé « {self.prefix}{key} »", expected)

    def _value(self, key: str, kind: type) -> Any:
        self._read.add(key)
        if key not in self._values:
            raise self.error(key, f"cette clé manque, attendu {_KINDS[kind]}")
        value = self._values[key]
        # To Python a truth is a number, and a moment a date.
        if not isinstance(value, kind) or isinstance(value, bool | datetime):
            raise self.error(key, f"attendu {_KINDS[kind]}")
        return value


def parse_toml(file: str, text: str, *, first_line: int = 1) -> Table:
    """Raises ContentError with the line in the file, where `text` begins at `first_line`."""
    try:
        return Table(file, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line, reason = _place(str(error), text)
        raise ContentError(
            file, f"ligne {line + first_line - 1}", f"du TOML valide, les textes entre guillemets ({reason})"
        ) from None


def _place(message: str, text: str) -> tuple[int, str]:
    reason, _, place = message.rpartition(" (at ")
    words = place.replace(",", "").split()
    if words and words[0] == "line":
        return int(words[1]), reason
    return text.count("\n") + 1, reason or message


def version_of(path: Path) -> str:
    """What changes with a file's content, to stand in its address."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def unfilled(values: Sequence[tuple[str, str]]) -> list[str]:
    """Keys, among (key, text) pairs, whose text is still a placeholder."""
    return [key for key, text in values if PLACEHOLDER in text]
