"""flask ops …: is this installation ready, is it saved, and back again."""

from .adopt_key import adopt_key
from .backup import backup
from .check import check
from .group import DatabaseGroup
from .restore import restore
from .rotate_key import rotate_key
from .sample import sample

ops = DatabaseGroup("ops", help="L’exploitation : vérifier, sauvegarder, restaurer, remplir d’exemples.")
for command in (backup, rotate_key, adopt_key, sample):
    ops.add_command(command)
# One names a newer program's database among its findings, the other puts an older one in its place.
for command in (check, restore):
    ops.add_command(command, suits_any_revision=True)
