"""flask --app wsgi ops …: is this installation ready, is it saved, and back again."""

from flask.cli import AppGroup

from .adopt_key import adopt_key
from .audit import audit
from .backup import backup
from .check import check
from .restore import restore
from .rotate_key import rotate_key
from .sample import sample

ops = AppGroup("ops", help="L’exploitation : vérifier, contrôler, sauvegarder, restaurer, remplir d’exemples.")
for command in (check, audit, backup, restore, rotate_key, adopt_key, sample):
    ops.add_command(command)
