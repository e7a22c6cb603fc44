"""Which texts a French Excel would change on opening a CSV, and how to write those so that it doesn't."""

import re
import unicodedata
from datetime import date

# Excel takes ordinary and no-break spaces alike for thousands separators, before three digits at least.
_SPACE = "[ \u00a0\u202f]"
# At most one e: the exponent's.
_FIGURES = re.compile(rf"(?:[0-9.,/:+-]|{_SPACE})*(?:[eE](?:[0-9.,/:+-]|{_SPACE})*)?")
_WHOLE = rf"[0-9]+(?:{_SPACE}[0-9]{{3,}})*"
_NUMBER = re.compile(rf"[+-]?(?:{_WHOLE}(?:,[0-9]*)?|,[0-9]+)(?:{_SPACE}*[eE]{_SPACE}*[+-]?[0-9]+,?)?{_SPACE}*[+-]?")
# Shown as it was typed. Columns of a CSV are wide enough for eight digits; more are shown as 1,2E+08.
_PLAIN_NUMBER = re.compile(r"-?(?=(?:,?[0-9]){1,8}$)(?!0$)(?:0|[1-9][0-9]*)(?:,[0-9]*[1-9])?|0")
_FRACTION = re.compile(rf"[+-]?[0-9]+{_SPACE}+[0-9]+/[0-9]+{_SPACE}*[+-]?")
_TERM = r"[0-9]+(?:,[0-9]*)?(?:[eE][+-]?[0-9]+)?"
# What begins with a sign is a formula: -1+1, +33-1, --5.
_FORMULA = re.compile(rf"[+-][+\- ]*{_TERM}(?: *[+\-/:][+\- ]*{_TERM})*")
_TIME = rf"[+-]?{_WHOLE}{_SPACE}*:{_SPACE}*[0-9]*(?::[0-9]*)?(?:[.,][0-9]*)?{_SPACE}*[+-]?"
_DATE = rf"([0-9]{{1,4}}){_SPACE}*[/.-]{_SPACE}*([0-9]{{1,4}})(?:{_SPACE}*[/.-]{_SPACE}*([0-9]{{1,4}}))?"
_MOMENT = re.compile(rf"(?:{_TIME}{_SPACE}+)?{_DATE}(?:{_SPACE}+{_TIME})?")
_ONLY_TIME = re.compile(rf"(?:[0-9]+{_SPACE}+)?{_TIME}")

_BOOLEANS = frozenset(("vrai", "faux", "true", "false"))
_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# Excel knows a month by its first letters, three at least.
_MONTH_STARTS = frozenset(month[:end] for month in _MONTHS for end in range(3, len(month) + 1))
_BETWEEN = r"[ ,./-]*"
_DAY_NAME = r"(?:(?:lun|mar|mer|jeu|ven|sam|dim)(?:credi|dredi|edi|di|anche)?\.?[ ,]*)?"
_WITH_MONTH = re.compile(
    rf"{_DAY_NAME}(?:(?P<before>[0-9]{{1,4}}){_BETWEEN})?(?P<month>[a-z]{{3,9}}){_BETWEEN}"
    rf"(?P<after>[0-9]{{1,4}})?(?:[ ,./-]+[0-9]{{1,4}})?(?: +{_TIME})?"
)
_HALF_DAY = re.compile(r"[0-9]{1,2}(?::[0-9]{1,2}){0,2} ?[ap]m?")

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_INITIALS = "".join(sorted({name[0] for name in (*_MONTHS, *_DAYS)}))
# A word as short as those of months and days, accents apart from their letters included, and what may follow it.
_SHORT_WORD = rf"(?:[^\W\d_]|[\u0300-\u036f]){{2,12}}+(?:[,./-]|{_SPACE})*+"
# A cheap look at a text that ends with \0: at what begins with a figure, at one or two words with a figure but no
# @, at booleans. Hardly any text passes. French telephones in pairs are no numbers to Excel.
SUSPECT = (
    rf"(?!0[0-9](?: [0-9][0-9]){{4}}\0)(?:[.,:/+-]|{_SPACE})*[0-9]"
    rf"|{_SPACE}*(?i:[{_INITIALS}]){_SHORT_WORD}(?:{_SHORT_WORD})?[0-9][^@\0]*+\0"
    rf"|{_SPACE}*(?i:{'|'.join(sorted(_BOOLEANS))}){_SPACE}*\0"
)
# Of a text in a formula.
_LONGEST = 255


def is_rewritten(text: str) -> bool:
    """Whether Excel would read a number, a date, a time or a boolean and show another text for it."""
    bare = text.strip(" \u00a0\u202f")
    if len(bare) > _LONGEST:
        return _NUMBER.fullmatch(bare) is not None
    if is_of_figures(bare):
        return _PLAIN_NUMBER.fullmatch(text) is None and _is_value(bare)
    return _is_word(_folded(bare))


def is_of_figures(text: str) -> bool:
    """Whether it holds nothing but figures, spaces and the signs of numbers and dates: no formula can do harm by it."""
    return _FIGURES.fullmatch(text) is not None


def as_text(text: str) -> str:
    """A formula that gives the text. Beyond what a formula may hold, an apostrophe, which shows."""
    return f'="{text}"' if len(text) <= _LONGEST else f"'{text}"


def _is_value(text: str) -> bool:
    values = (_NUMBER, _ONLY_TIME, _FRACTION, _FORMULA)
    return any(value.fullmatch(text) for value in values) or _is_date(text)


def _is_date(text: str) -> bool:
    """In the orders in which Excel tries them: 3/4, 4/2026, 2026-09, 31/12/26, 2026-12-31."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return False
    first, second, third = match.groups()
    if third is None:
        return _is_month_and(first, second) or _is_month_and(second, first)
    return _exists(third, second, first) or _exists(first, second, third)


def _is_month_and(month: str, other: str) -> bool:
    """With a day or a year: Excel tries both."""
    return len(month) <= 2 and 1 <= int(month) <= 12 and (len(other) <= 2 or int(other) >= 1900)


def _exists(year: str, month: str, day: str) -> bool:
    if len(year) == 3 or max(len(month), len(day)) > 2:
        return False
    try:
        date(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _is_word(text: str) -> bool:
    if text in _BOOLEANS or _HALF_DAY.fullmatch(text):
        return True
    match = _WITH_MONTH.fullmatch(text)
    if match is None or match["month"] not in _MONTH_STARTS:
        return False
    numbers = [number for number in match.group("before", "after") if number]
    return bool(numbers) and all(len(number) != 3 for number in numbers)


def _folded(text: str) -> str:
    """Lower case, without accents, with ordinary spaces."""
    letters = unicodedata.normalize("NFD", re.sub(_SPACE, " ", text).casefold())
    return "".join(char for char in letters if not unicodedata.combining(char))
