"""flask open-days import: many slots at once, from a spreadsheet; all of them or none."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from ..db import db, reading
from ..formatters import format_day
from ..open_days.checks import Span, find_fault
from ..open_days.models import OpenDay, Slot
from ..open_days.plan_words import FAULTS, doubts
from ..open_days.planning import DayPlan, add_slots, lock_planning, plan_open_day
from ..open_days.rosters import days_on, same_days
from ..school import day_begins, day_ends
from ..web.context import utc_now
from .french_text import ENCODINGS
from .open_day_file import HEADINGS, Mistake, PlannedLine, Unreadable, read_sheet

_MERGED = ("access", "description", "online_url")
_EDIT = "« Modifier », sur sa page dans Portes ouvertes"


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Lines of one day: those that are new, beside what is planned already."""

    on: date
    plan: DayPlan
    days: list[OpenDay]
    new: list[PlannedLine] = field(default_factory=list)
    there: list[tuple[PlannedLine, Slot]] = field(default_factory=list)

    @property
    def slots(self) -> list[Slot]:
        return [slot for day in self.days for slot in day.slots]


@click.command("import")
@click.argument("file", type=click.File("rb"), metavar="FICHIER.csv")
@click.option("--dry-run", is_flag=True, help="Dit ce qui serait ajouté, textes compris, sans rien écrire.")
@click.option(
    "--encoding", type=click.Choice(tuple(ENCODINGS)), help="Le codage du fichier ; sans elle, ses lettres le disent."
)
@with_appcontext
def import_command(file: BinaryIO, dry_run: bool, encoding: str | None) -> None:
    """Ajoute les créneaux d’un fichier CSV.

    Un créneau par ligne ; tous sont ajoutés, ou aucun si une ligne est à corriger.

    \b
    Colonnes, par leur titre, dans l’ordre que l’on veut ; * : obligatoire.
      Date *        06/02/2027 ou 2027-02-06
      Début *       10:00
      Fin *         12:00
      Places *      40
      Lieu          obligatoire sans lien en ligne
      Titre         sinon « Journée portes ouvertes »
      Accès, Description
      Lien en ligne https://…
      Ouverture des inscriptions, Clôture des inscriptions
                    06/01/2027, ou 06/01/2027 09:00

    Les lignes de même titre, même lieu et même date font une journée. Ce qui est déjà prévu n’est pas ajouté deux fois.
    Le séparateur est ; ou , ou une tabulation. Le codage se reconnaît aux lettres ; dans le doute, rien n’est ajouté.
    """  # noqa: D301  # \b keeps click from joining the lines
    try:
        sheet = read_sheet(file.read(), encoding)
    except Unreadable as error:
        raise click.ClickException(f"{file.name} : {error}.") from None
    now = utc_now()
    with reading() if dry_run else nullcontext():
        if not dry_run:
            lock_planning(db.session())
        groups = _groups(sheet.lines)
        mistakes = [*sheet.mistakes, *_mistakes(groups, now=now)]
        if mistakes:
            _refuse(mistakes)
        texts = [f"Codage du fichier : {sheet.encoding}.", *_texts(groups)] if dry_run else []
        said, doubted = (
            [*texts, *_said_of_those_there(groups), _summary(groups, dry_run=dry_run)],
            list(_doubts(groups, now=now)),
        )
        if not dry_run:
            _add(groups, now=now)
            db.session.commit()
    for line in said:
        click.echo(line)
    # Once each, beside the command's own output.
    for doubt in dict.fromkeys(doubted):
        click.echo(f"Attention : {doubt}.", err=True)


def _groups(lines: list[PlannedLine]) -> list[_Group]:
    groups: dict[tuple[str, str, date], _Group] = {}
    for line in lines:
        key = (line.day.title, line.day.place, line.on)
        if key not in groups:
            groups[key] = _Group(on=line.on, plan=line.day, days=_same_days(line))
        group = groups[key]
        merged = {name: getattr(group.plan, name) or getattr(line.day, name) for name in _MERGED}
        groups[key] = group = replace(group, plan=replace(group.plan, **merged))
        slot = next((slot for slot in group.slots if slot.starts_at == line.slot.starts_at), None)
        if slot is None:
            group.new.append(line)
        else:
            group.there.append((line, slot))
    return list(groups.values())


def _same_days(line: PlannedLine) -> list[OpenDay]:
    since, until = day_begins(line.on), day_ends(line.on)
    return same_days(db.session(), title=line.day.title, place=line.day.place, since=since, until=until)


def _mistakes(groups: list[_Group], *, now: datetime) -> Iterator[Mistake]:
    for group in groups:
        held = [slot for slot in group.slots if slot.cancelled_at is None]
        for line in [*group.new, *(line for line, _ in group.there)]:
            for name in _MERGED:
                if getattr(line.day, name) not in ("", getattr(group.plan, name)):
                    yield line.number, f"{HEADINGS[name]} : une autre ligne de la même journée dit autre chose."
        for line in group.new:
            before = [other for other in group.new if other.number < line.number]
            double = next((other for other in before if other.slot.starts_at == line.slot.starts_at), None)
            if double is not None:
                yield line.number, f"c’est le créneau de la ligne {double.number}."
                continue
            others: list[Span] = [*held, *(other.slot for other in before)]
            fault = find_fault(line.slot, others=others, now=now)
            if fault is not None:
                yield line.number, FAULTS[fault]


def _refuse(mistakes: list[Mistake]) -> None:
    for number, mistake in sorted(mistakes):
        click.echo(f"ligne {number} : {mistake}", err=True)
    count = "1 correction est à faire" if len(mistakes) == 1 else f"{len(mistakes)} corrections sont à faire"
    raise click.ClickException(f"rien n’est ajouté : {count}, puis recommencez.")


def _texts(groups: list[_Group]) -> Iterator[str]:
    """The texts that visitors would read, shown before anything is added."""
    for group in groups:
        yield f"{format_day(group.on)} : {group.plan.title}, {group.plan.place}"
        yield from (f"    {HEADINGS[name]} : {text}" for name in _MERGED if (text := getattr(group.plan, name)))


def _said_of_those_there(groups: list[_Group]) -> Iterator[str]:
    for group in groups:
        for line, slot in group.there:
            cancelled = ", annulé depuis" if slot.cancelled_at else ""
            differs = (slot.ends_at, slot.capacity) != (line.slot.ends_at, line.slot.capacity)
            change = f" ; il en diffère, pour le changer : {_EDIT}" if differs and not cancelled else ""
            yield f"ligne {line.number} : déjà prévu (créneau {slot.id}{cancelled}){change}."


def _summary(groups: list[_Group], *, dry_run: bool) -> str:
    new = [line for group in groups for line in group.new]
    days = sum(1 for group in groups if group.new and not group.days)
    there = sum(len(group.there) for group in groups)
    places = sum(line.slot.capacity for line in new)
    counts = f"journées : {days}, créneaux : {len(new)}, places : {places}. Déjà prévus : {there}."
    return f"Essai, rien n’est écrit. Seraient ajoutés : {counts}" if dry_run else f"Ajoutés : {counts}"


def _doubts(groups: list[_Group], *, now: datetime) -> Iterator[str]:
    for group in groups:
        for line in group.new:
            yield from (f"ligne {line.number} : {doubt}" for doubt in doubts(line.slot, now=now))
        if group.new and not group.days:
            held = days_on(db.session(), group.on)
            yield from (f"ligne {group.new[0].number} : {doubt}" for doubt in _already_planned(held))


def _already_planned(days: Iterable[OpenDay]) -> Iterator[str]:
    for day in days:
        yield (
            f"une journée est déjà prévue ce jour-là, « {day.title}, {day.place} » ; "
            "pour lui ajouter un créneau : « Ajouter des créneaux », dans Portes ouvertes"
        )


def _add(groups: list[_Group], *, now: datetime) -> None:
    for group in groups:
        plans = [line.slot for line in group.new]
        if plans and group.days:
            add_slots(db.session(), group.days[0], plans, now=now)
        elif plans:
            plan_open_day(db.session(), group.plan, plans, now=now)
