"""The brochure form asks nothing of its own."""

from ..leads.forms import LeadForm
from ..leads.models import FormName


class BrochureForm(LeadForm):
    form_name = FormName.BROCHURE
