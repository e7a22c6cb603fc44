"""What ops check finds in what the school gave: its words, its brochure, its address."""

from collections.abc import Iterator

from ..brochures.services import (
    FILE_NAME,
    chosen_version,
    is_own_unverified,
    own_fault,
    standing_file,
    version_file,
)
from ..content_files import SHIPPED
from ..db import db, reading
from ..web.context import current_school, current_settings


def content_findings(*, is_database_there: bool) -> Iterator[str]:
    for key in current_school().placeholders():
        yield f"school.toml, clé « {key} » : encore à compléter"
    if is_database_there:
        yield from _brochure_findings()
    yield from _address_findings()


def _address_findings() -> Iterator[str]:
    settings = current_settings()
    if not settings.public_url:
        yield "MICROSITE_PUBLIC_URL : l’adresse publique du site y manque"
    elif settings.public_url.startswith("https:") and not settings.proxies:
        # `serve` speaks no TLS: somebody in front does, and all requests come from there.
        yield "MICROSITE_PROXIES : le site est en https, derrière un serveur : à 0, tous les visiteurs comptent pour un"


def _brochure_findings() -> Iterator[str]:
    instance = current_settings().instance_path
    with reading():
        version = chosen_version(db.session())
        file = version_file(instance, version.digest) if version else None
    if file is not None:
        if not file.is_file():
            yield f"Brochure : le fichier de la version choisie manque ({file})"
    elif fault := own_fault(instance):
        yield f"Brochure : un spécimen est donné, et non {instance / FILE_NAME} : {fault}"
    elif is_own_unverified(instance):
        yield f"Brochure : {instance / FILE_NAME} est donné, mais n’a pas pu être vérifié ; ouvrez-le vous-même"
    elif standing_file(instance).parent == SHIPPED:
        yield f"Brochure : un spécimen est donné ; déposez celle de l’école ({instance / FILE_NAME})"
