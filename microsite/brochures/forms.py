"""The brochure form asks nothing of its own."""

from ..leads.forms import LeadForm
from ..leads.models import FormName
from ..web.context import current_settings
from .services import has_specimen_alone


class BrochureForm(LeadForm):
    form_name = FormName.BROCHURE

    @property
    def has_preview(self) -> bool:
        """Whether the picture of a first page is that of the brochure which is given: the school's own has none."""
        return has_specimen_alone(current_settings().instance_path)
