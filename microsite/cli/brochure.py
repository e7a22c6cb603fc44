"""Build the specimen brochure as a PDF (`make brochure`). It needs the packages of requirements-dev.txt."""

from pathlib import Path

import click
from flask import current_app, url_for
from flask.cli import with_appcontext

from ..brochures.services import FILE_NAME
from ..brochures.specimen.words import load_words
from ..config import PROJECT_ROOT
from ..content_files import SHIPPED
from ..formatters import format_size
from ..web.context import current_school, current_settings

PREVIEW = PROJECT_ROOT / "static" / "img" / "brochure.avif"
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.option("--output", type=_FILE, help="Où écrire le PDF ; sans elle, à la place du spécimen du programme.")
@click.option(
    "--preview", type=_FILE, help="Où écrire sa couverture (AVIF) ; sans --output, à sa place dans le programme."
)
@with_appcontext
def build(output: Path | None, preview: Path | None) -> None:
    """Compose la brochure en PDF, d’après brochure.toml, school.toml et le glossaire de l’article d’accueil."""
    try:
        from ..brochures.specimen.press import PressError, Specimen, print_specimen
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"« {error.name} » n’est pas installé ; lancez pip install -r requirements-dev.txt, puis recommencez."
        ) from None
    school = current_school()
    article = current_app.extensions["articles"][school.home_article]
    specimen = Specimen(
        school=school,
        words=load_words(current_app.extensions["content_folders"]),
        glossary=[(entry.term, entry.definition) for entry in article.glossary],
        address=_address(),
    )
    try:
        printed = print_specimen(specimen)
    except PressError as error:
        raise click.ClickException(f"la brochure ne se compose pas : {error}.") from None
    _write(output or SHIPPED / FILE_NAME, printed.pdf)
    if output is None or preview is not None:
        _write(preview or PREVIEW, printed.preview)


def _address() -> str:
    """Where to book an open day: on this site once its address is known, on the school's until then."""
    public_url = current_settings().public_url
    if not public_url:
        return f"https://{current_school().site}"
    with current_app.test_request_context():
        return public_url + url_for("open_days.register")


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"« {path} » ne peut pas être écrit ({error.strerror}).") from None
    click.echo(f"Écrit : {path} ({format_size(len(content))})")


if __name__ == "__main__":
    build()
