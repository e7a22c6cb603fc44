"""Telephone numbers: read in France and next to it, kept as E.164 (ITU-T), written as each country groups them."""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

_SIGNS = re.compile(r"[\d\s.()+/\u2010\u2011\u2013-]+")
_HOME = "FR"
# Whose national writing is tried beside the French one, and what their numbers are called.
_NEIGHBOURS = {
    "BE": "belge",
    "CH": "suisse",
    "LU": "luxembourgeois",
    "MC": "monégasque",
    "GP": "de Guadeloupe",
    "MQ": "de Martinique",
    "GF": "de Guyane",
    "RE": "de La Réunion",
    "YT": "de Mayotte",
    "PM": "de Saint-Pierre-et-Miquelon",
    "NC": "de Nouvelle-Calédonie",
    "PF": "de Polynésie française",
    "WF": "de Wallis-et-Futuna",
}
# Those that dial no 0 before a national number.
_WITHOUT_ZERO = frozenset({"LU", "MC", "PM", "NC", "PF", "WF"})
_OVERSEAS = frozenset({"GP", "MQ", "GF", "RE", "YT", "PM", "NC", "PF", "WF"})
# Whose mobile numbers are dialled as French ones, in ranges (0690 to 0694…) that France itself doesn't use.
_DIALLED_AT_HOME = (_HOME, "GP", "GF", "MQ", "RE", "YT")
# Country codes dialled nationally from France.
_FRENCH_CODES = frozenset({33, 262, 590, 594, 596})
# Dialled so from France, while the country itself has six digits.
_SAINT_PIERRE = re.compile(r"0508\d{6}")
# Written 0xx xxx xx xx in Switzerland, and never so.
_FIVE_PAIRS = re.compile(r"0\d(?:[\s./\u2010\u2011\u2013-]+\d\d){4}")
_FRENCH_LENGTH = 10
# Of France itself; those in 08 are grouped otherwise.
_IN_PAIRS = re.compile(r"\+33[1-79][0-9]{8}")
# What a person can be called on, as the library tells kinds apart: UAN are numbers of firms (058 in Switzerland), VOIP
# those that come with internet access (20 in Luxembourg).
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_PERSONAL = (*_MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.UAN, PhoneNumberType.VOIP)
# Dialled alike at home and overseas: 06 and 07, and 0806 to 0809.
_SAME_FOR_ALL = (*_MOBILE, PhoneNumberType.UAN)
# Digits of a foreign number: Luxembourg has some of four to eleven, for services and switchboards.
_FOREIGN_LENGTHS = range(6, 11)


class PhoneRefused(ValueError):
    """Not a telephone number."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a number typed without its country code may be: `kind` completes « un numéro … »."""

    e164: str
    kind: str

    @property
    def is_french(self) -> bool:
        """Whether it is dialled nationally from France."""
        return phonenumbers.parse(self.e164).country_code in _FRENCH_CODES

    @property
    def written(self) -> str:
        """As it is dialled in France, or with its country code."""
        number = phonenumbers.parse(self.e164)
        style = PhoneNumberFormat.NATIONAL if number.country_code == 33 else PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, style)


class PhoneAmbiguous(PhoneRefused):
    """A number that may be a neighbour's: whoever typed it is to say which. `length` counts its digits."""

    def __init__(self, readings: tuple[Reading, ...], *, length: int) -> None:
        super().__init__(readings)
        self.readings = readings
        self._length = length

    @property
    def french(self) -> str | None:
        """What it is kept as if it is French, in E.164; None if France has no such number."""
        return next((reading.e164 for reading in self.readings if reading.is_french), None)

    @property
    def question(self) -> str:
        """« Est-ce un numéro français, ou belge ? », or first that it can't be French."""
        *others, last = [reading.kind for reading in self.readings]
        asked = f"Est-ce un numéro {', '.join(others)}{', ou ' if others else ''}{last} ?"
        return asked if self.french else f"{self._why_not_french()} {asked}"

    def _why_not_french(self) -> str:
        if self._length < _FRENCH_LENGTH:
            return f"Incomplet pour un numéro français ({_FRENCH_LENGTH} chiffres)."
        return "Ce n’est pas un numéro français."

    def choose(self, e164: str) -> str | None:
        """The reading that this stands for; None for a number that was typed in its place since."""
        return e164 if any(reading.e164 == e164 for reading in self.readings) else None


def normalise_phone(text: str) -> str:
    """E.164 from any usual writing.

    Raises PhoneAmbiguous, or PhoneRefused. The library would dial letters, drop an extension or the second of two
    numbers: refused rather than guessed.
    """
    if not _SIGNS.fullmatch(text):
        raise PhoneRefused(text)
    # The library knows neither the narrow space of French typography nor others of its kind.
    text = re.sub(r"\s", " ", text)
    digits = re.sub(r"\D", "", text)
    certain = _certain(text, digits)
    numbers = _readings(text, digits) if certain is None else {_e164(certain): certain}
    if not numbers:
        raise PhoneRefused(text)
    (first, number), *others = numbers.items()
    if certain is None and (others or number.country_code not in _FRENCH_CODES):
        raise PhoneAmbiguous(tuple(_reading(e164, numbers) for e164 in numbers), length=len(digits))
    return first


def dialled_from_france(e164: str) -> str:
    """06 12 34 56 78, or 00 44 20 7946 0958: grouped as its country does, and no + for a spreadsheet to compute.

    What is no number, brought by another program, comes back as it is.
    """
    if _IN_PAIRS.fullmatch(e164):
        # What most numbers are: an export has a million of them to write.
        return " ".join((f"0{e164[3]}", *(e164[at : at + 2] for at in range(4, 12, 2))))
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    if number.country_code in _FRENCH_CODES:
        return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_out_of_country_calling_number(number, _HOME)


def dialled_digits(e164: str) -> set[str]:
    """The digits of a number as it is dialled from abroad, and at home."""
    digits = e164.removeprefix("+")
    if e164.startswith("+33"):
        return {digits, f"0{digits[2:]}"}
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return {digits}
    national = re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    # Dialled as 41 12 34 there, and as 0508 41 12 34 from France; the library writes 041 12 34.
    saint_pierre = {f"0{digits}", digits.removeprefix("508")} if number.country_code == 508 else set()
    return {digits, national} | saint_pierre


def _certain(text: str, digits: str) -> PhoneNumber | None:
    """What is written with its country code, or is dialled alike from France and overseas, as mobile numbers are."""
    french = _parse(text, _HOME)
    if "+" in text or digits.startswith("00"):
        return french
    numbers = (_parse(text, region) for region in _DIALLED_AT_HOME) if digits.startswith("0") else ()
    first = next((number for number in numbers if number is not None), None)
    return first if first is not None and _is_of(first, _SAME_FOR_ALL) else None


def _readings(text: str, digits: str) -> dict[str, PhoneNumber]:
    """What it is in France and at each neighbour's, by E.164."""
    french = _parse(text, _HOME)
    excluded = _excluded(text, digits)
    tried = [_parse(text, region) for region in _NEIGHBOURS if region not in excluded]
    if _SAINT_PIERRE.fullmatch(digits):
        tried.append(_parse(f"+{digits[1:]}", _HOME))
    elsewhere = [number for number in tried if number and _is_somebody_s(number)]
    if french is not None and _is_of(french, _MOBILE):
        # Without its 0: it is taken for somebody else's only where numbers have none.
        elsewhere = [number for number in elsewhere if digits in dialled_digits(_e164(number))]
    return {_e164(number): number for number in [french, *elsewhere] if number is not None}


def _excluded(text: str, digits: str) -> frozenset[str]:
    """Neighbours that never write a number so."""
    excluded = _WITHOUT_ZERO if digits.startswith("0") else frozenset[str]()
    return excluded | {"CH"} if _FIVE_PAIRS.fullmatch(text.strip()) else excluded


def _reading(e164: str, numbers: dict[str, PhoneNumber]) -> Reading:
    regions = {other: _region(number) for other, number in numbers.items()}
    if regions[e164] != _HOME:
        return Reading(e164=e164, kind=_NEIGHBOURS[regions[e164]])
    return Reading(e164=e164, kind="de métropole" if _OVERSEAS & set(regions.values()) else "français")


def _region(number: PhoneNumber) -> str:
    """Of those that share a country code, the one whose number it is, or the largest."""
    region = phonenumbers.region_code_for_number(number)
    known = {_HOME, *_NEIGHBOURS}
    return region if region in known else str(phonenumbers.region_code_for_country_code(number.country_code or 0))


def _is_somebody_s(number: PhoneNumber) -> bool:
    return _is_of(number, _PERSONAL) and len(str(number.national_number)) in _FOREIGN_LENGTHS


def _is_of(number: PhoneNumber, kinds: tuple[int, ...]) -> bool:
    return phonenumbers.number_type(number) in kinds


def _e164(number: PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def _parse(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
