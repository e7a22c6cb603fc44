"""The blueprint that every page of the back-office is a route of."""

from flask import Blueprint

from .access import PREFIX
from .guard import guard

bp = Blueprint("backoffice", __name__, url_prefix=PREFIX)
guard(bp)
