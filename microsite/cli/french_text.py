"""Finds the encoding of a French text by the letters and words that French texts hold."""

import contextlib
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

# By the names that the option --encoding takes.
ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "cp1252": "cp1252",
    "latin-9": "iso8859_15",
    "macroman": "mac_roman",
    "cp850": "cp850",
    "cp437": "cp437",
}
# Those in which any byte may be a letter, the usual ones first.
_BY_LETTERS = ("cp1252", "latin-9", "macroman", "cp850", "cp437")
# By which some programs tell Excel the delimiter, above the headings.
SEPARATOR_LINE = re.compile(r'\A\ufeff?"?sep=[^\r\n]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_TOKEN = re.compile(r'[^ \t\r\n;,"/()]+')
_FRENCH = frozenset("àâçéèêëîïôùûüÿæœ")
# Between what French words hold these letters: Noël, œuvre, maître, où.
_LETTER = r"[^\W\d]"
_USUAL = re.compile(
    rf".à\W|{_LETTER}ù\W|.ç[aouâ]|[aouéi][ïëüÿ]\D|.œ[cdinstu]|{_LETTER}î[cmnt]|{_LETTER}[âêô]{_LETTER}|{_LETTER}[èû]\D"
    rf"|\Sé\D|.é{_LETTER}"
)
# One byte of Windows and of the Macintosh, at the beginning of a word that may well be a name: éze, Èze.
_ALIKE_FIRST = frozenset("éÈ")
_OPENING, _CLOSING, _ELLIPSIS, _DOTS = "«“", "»”", "…", "·"
# Between what a no-break space stands: « Quoi ? », 10 %, n° 5, M. Rohmer.
_BEFORE_SPACE, _AFTER_SPACE = frozenset("0123456789«“.°–—"), frozenset("0123456789:!?»”%€–—")
_PRICE = re.compile("(?<=[0-9]) (?=€)")
# UTF-7, in which « é » is `+AOk-`.
_UTF_7 = re.compile(r"\+[A-Za-z0-9+/]{3,}-?")
_SPACES, _DASHES, _APOSTROPHES, _UNITS = "\u00a0\u202f", "–—", "’\u2018", "€°²³"
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        accès adhérents allée amphithéâtre animé août après arrière arrêt avancées bientôt bâtiment café caméra carrière
        château chœur cinéma clôture collège création créée côté côtés cœur derrière deuxième diplôme dès début décembre
        décor découverte déjà démonstration développement dû enquête entrée entrées fenêtre filière forêt février fête
        fêtes gaîté grâce guidée général haÿ hôtel hôtesse idée intérieur invité invités journée journées lumière lycée
        lycéens marché matinée matériel maître modèle montée musée métier métiers métro même mêmes noël numéro nîmes
        nœud opéra où passée pièce portée première privé privée projetée près précis préparée présence présentation
        prévu prêt publicité qualité rencontré rentrée réalisateur réalisation réalisée république répétition
        réservation réservée réunion réunions salé scène scénario siècle société soirée spécialité spécialités séance
        séances sœur théâtre très télévision témoignages tête université vidéo visitée vœux âge ça échange échanges
        école écoles écran écriture élysées élève élèves émission époque équipe équipement équipes étage études étudiant
        étudiante étudiantes étudiants été évènement événement êtes être êtres île îles œuvre œuvres étude étape
        étoile éclairage édition éducation
        """,
    )
)
# By how much the second reading must be worse, less where the headings tell the family; how bad the best one may be
# for each word; what a known word outweighs.
_MARGIN, _MARGIN_IN_FAMILY, _WORST, _KNOWN = 2, 1, 1.5, 2
_IMPOSSIBLE = 20


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """`name` is the encoding's, as --encoding takes it."""

    text: str
    name: str


class Unsure(ValueError):
    """No reading stands out; its text shows what is in doubt."""


class Garbled(ValueError):
    """A program that took the file for another encoding changed its letters; the error's text shows one word."""


def decode(content: bytes, *, headings: Sequence[str], name: str | None = None) -> Decoded:
    """The text, in the encoding that is named, or else that its bytes and letters tell. Raises UnicodeError, Unsure,
    Garbled.

    `headings` are words that the first line may hold: accents there that are right settle all others.
    """
    name = name or _by_bytes(content)
    if name is not None:
        return Decoded(text=_read(content, name), name=name)
    names = ("utf-8", *_BY_LETTERS)
    readings = [Decoded(text=text, name=name) for name in names if (text := _try(content, name)) is not None]
    trusted = [reading for reading in readings if _has_right_headings(reading.text, headings)]
    if trusted:
        return _likeliest(trusted, margin=_MARGIN_IN_FAMILY)
    return _likeliest(readings, margin=_MARGIN, worst=_WORST)


def _read(content: bytes, name: str) -> str:
    codec = ENCODINGS[name]
    if name == "utf-16" and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16-le" if _zeros(content, 1) > _zeros(content, 0) else "utf-16-be"
    text = content.decode(codec)
    if name.startswith("utf") and (fault := _encoded_twice(text) or _saved_misread(text) or _encoded_for_mail(text)):
        raise Garbled(fault)
    return text


def _by_bytes(content: bytes) -> str | None:
    """UTF-16 and UTF-8 are nearly always recognised by their bytes, the others never."""
    if (
        content.startswith((b"\xff\xfe", b"\xfe\xff"))
        or max(_zeros(content, 0), _zeros(content, 1)) > len(content) // 4
    ):
        return "utf-16"
    text = _try(content, "utf-8")
    has_mark = content.startswith(b"\xef\xbb\xbf")
    return "utf-8" if text is not None and (has_mark or not _mixes_scripts(text)) else None


def _mixes_scripts(text: str) -> bool:
    """Whether a word holds letters of Europe and of elsewhere: « l’é » saved by a Macintosh is « lՎ » in UTF-8."""
    return any(
        any(char.isascii() and char.isalpha() for char in word)
        and any("\u0250" <= char < "\u1e00" and char.isalpha() for char in word)
        for word in _accented(text)
    )


def _zeros(content: bytes, parity: int) -> int:
    return content[parity::2].count(0)


def _try(content: bytes, name: str) -> str | None:
    try:
        return content.decode(ENCODINGS[name])
    except UnicodeDecodeError:
        return None


def _encoded_twice(text: str) -> str | None:
    """A word like « JournÃ©e »: UTF-8 that a program read as something else and saved again."""
    for word in _accented(text):
        for name in ("cp1252", "mac_roman"):
            try:
                once = word.encode(name).decode("utf-8")
            except UnicodeError:
                continue
            letters = sum(char.isascii() and char.isalpha() for char in word)
            if letters >= 3 and _is_french(once):
                return f"« {word} » serait « {once} »"
    return None


def _encoded_for_mail(text: str) -> str | None:
    """Signs like « +AOk- »: UTF-7, which is all ASCII."""
    for code in _UTF_7.findall(text):
        with contextlib.suppress(UnicodeError):
            once = code.encode().decode("utf-7")
            if not once.isascii() and _is_french(once):
                return f"« {code} » serait « {once} »"
    return None


def _is_french(text: str) -> bool:
    return all(char.isascii() or char.lower() in _FRENCH or char in "’«»…€" for char in text)


def _saved_misread(text: str) -> str | None:
    """A word like « JournŽe »: a program opened the file in another encoding than its own, then saved it."""
    for word in _accented(text):
        if not _is_known(word) and (right := next(filter(_is_known, _other_readings(word)), None)):
            return f"« {word} » serait « {right} »"
    return None


def _other_readings(word: str) -> Iterator[str]:
    for opened_as, its_own in permutations(_BY_LETTERS, 2):
        with contextlib.suppress(UnicodeError):
            yield word.encode(ENCODINGS[opened_as]).decode(ENCODINGS[its_own])


def _has_right_headings(text: str, headings: Sequence[str]) -> bool:
    known = {unicodedata.normalize("NFC", heading).casefold() for heading in headings}
    first = next((line for line in text.splitlines() if not SEPARATOR_LINE.match(line)), "")
    accented = [cell.strip(' "').casefold() for cell in re.split("[;,\t]", first) if not cell.isascii()]
    return bool(accented) and all(cell in known for cell in accented)


def _likeliest(readings: Sequence[Decoded], *, margin: float, worst: float = math.inf) -> Decoded:
    """Return the reading whose letters cost least. Raises Unsure if another text costs less than `margin` more."""
    costs = sorted(((_cost(reading.text), at, reading) for at, reading in enumerate(readings)), key=lambda one: one[:2])
    cost, _, best = costs[0]
    words = _accented(best.text)
    other = next(((more, one) for more, _, one in costs if one.text != best.text), None)
    if (words and cost > worst * len(words)) or (other is not None and other[0] - cost < margin):
        raise Unsure(_difference(best, other[1] if other else None))
    return best


def _difference(best: Decoded, other: Decoded | None) -> str:
    """Both readings of the first word on which they differ."""
    pairs = zip(_TOKEN.findall(best.text), _TOKEN.findall(other.text) if other else (), strict=False)
    one, two = next(((one, two) for one, two in pairs if one != two), (next(iter(_accented(best.text)), ""), ""))
    return f"« {one} » ({best.name})" + (f" ou « {two} » ({other.name})" if two and other else "")


def _accented(text: str) -> list[str]:
    """Each word once that isn't ASCII; a price with its €."""
    return [word for word in dict.fromkeys(_TOKEN.findall(_PRICE.sub("\u00a0", text))) if not word.isascii()]


def _is_known(word: str) -> bool:
    # l’école, JPO·journée, journée.
    return any(part in _WORDS for part in re.split(r"[^\w]+", word.casefold()) if not part.isascii())


def _cost(text: str) -> float:
    unpaired = sum(text.count(begin) != text.count(end) for begin, end in zip(_OPENING, _CLOSING, strict=True))
    return 4 * unpaired + sum(_word_cost(word) - _KNOWN * _is_known(word) for word in _accented(text))


def _word_cost(word: str) -> float:
    around = f" {word} "
    return sum(
        _char_cost(char, before, after)
        for before, char, after in zip(around, around[1:], around[2:], strict=False)
        if not char.isascii()
    )


def _char_cost(char: str, before: str, after: str) -> float:
    """0 for what French texts hold there, 4 for what they don't hold at all."""
    if unicodedata.category(char) in ("Cc", "Cn", "Co"):
        return _IMPOSSIBLE
    return _letter_cost(char, before, after) if char.isalpha() else _sign_cost(char, before, after)


def _sign_cost(char: str, before: str, after: str) -> float:
    inside, is_alone = before.isalpha() and after.isalpha(), before == after == " "
    outer = before if char in _OPENING else after
    costs = {
        _SPACES: 0 if before in _BEFORE_SPACE or after in _AFTER_SPACE else 3,
        _DASHES: 1 if inside else 0,
        _APOSTROPHES: 0 if inside else 1,
        _DOTS: 0 if is_alone else 2,
        _OPENING + _CLOSING: 3 if outer.isalnum() else 0,
        _ELLIPSIS: 2 if after.isalpha() or before.isupper() else 1 if is_alone else 0,
        "½": 0 if before.isdigit() or is_alone else 3,
        # 10 €, n° 5, 20 m².
        _UNITS: 0 if (before.isdigit() or before in f"{_SPACES}nNm") and not after.isalpha() else 3,
    }
    return next((cost for signs, cost in costs.items() if char in signs), 4)


def _letter_cost(char: str, before: str, after: str) -> float:
    lower = char.lower()
    is_capital_inside = char.isupper() and (before.islower() or (before.isalpha() and after.islower()))
    if not unicodedata.name(char).startswith("LATIN") or is_capital_inside:
        return 4
    if lower not in _FRENCH:
        return 2.5
    if char.islower() and after.isupper():
        return 3
    if char in _ALIKE_FIRST and not before.isalpha() and after.isalpha():
        return 0.5
    return 0 if _USUAL.fullmatch(f"{before}{char}{after}".lower()) else 2
