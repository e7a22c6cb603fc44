"""What is asked of a campaign; its code once, for it is printed."""

from dataclasses import asdict
from typing import Any

from wtforms.validators import DataRequired, ValidationError

from ...campaigns.attribution import LIMIT, tidy
from ...campaigns.models import CODE, CODE_LIMIT, NAME_LIMIT, NOTE_LIMIT, Campaign
from ...campaigns.services import CampaignPlan
from ...exports.columns import FORMS
from ...web.fields import ChoiceField, TextField
from ..editing import EditForm
from ..fields import DayField
from ..forms import StaffForm, entered

TARGETS = {form.value: label for form, label in FORMS.items()}
ARTICLE = "L’article"


class TidyField(TextField):
    """Kept as every address and form that carries it is read: « Facebook Ads » is facebook-ads."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        # What is too long is refused, not cut.
        if len(self.data or "") <= self.limit:
            self.data = tidy(f"utm_{self.name}", self.data or "")


class CampaignWords(StaffForm):
    """What is said of a campaign, new or not."""

    name = TextField("Nom", [DataRequired("Donnez un nom à cette campagne.")], limit=NAME_LIMIT)
    source = TidyField(
        "Source",
        [DataRequired("Dites d’où l’on vient.")],
        limit=LIMIT,
        description="D’où l’on vient : instagram, affiche…",
    )
    medium = TidyField(
        "Support",
        [DataRequired("Dites par quel moyen.")],
        limit=LIMIT,
        description="Par quel moyen : story, e-mail, qr…",
    )
    content = TidyField("Contenu", limit=LIMIT, description="Ce qui distingue deux versions : affiche-a3…")
    target = ChoiceField("Où elle mène")
    starts_on = DayField("Premier jour")
    ends_on = DayField("Dernier jour")
    note = TextField("Note", limit=NOTE_LIMIT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.target.offer(TARGETS, empty=ARTICLE)

    def validate_ends_on(self, field: DayField) -> None:
        if self.starts_on.day and field.day and field.day < self.starts_on.day:
            raise ValidationError("Le dernier jour vient avant le premier.")

    def plan(self, code: str) -> CampaignPlan:
        return CampaignPlan(
            code=code,
            name=entered(self.name),
            source=entered(self.source),
            medium=entered(self.medium),
            content=entered(self.content),
            target=entered(self.target),
            starts_on=self.starts_on.day,
            ends_on=self.ends_on.day,
            note=entered(self.note),
        )


class CampaignForm(CampaignWords, EditForm):
    """An existing campaign."""

    def __init__(self, campaign: Campaign) -> None:
        plan = asdict(CampaignPlan.of(campaign))
        super().__init__({name: str(plan[name] or "") for name in plan if name != "code"})


class NewCampaignForm(CampaignWords):
    code = TextField(
        "Code",
        [DataRequired("Donnez-lui un code.")],
        limit=CODE_LIMIT,
        description="Ce que portent ses adresses, comme salon-2026. Il ne change plus ensuite.",
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )

    def validate_code(self, field: TextField) -> None:
        if not CODE.fullmatch(field.data or ""):
            raise ValidationError("Le code n’a que des lettres minuscules sans accent, des chiffres et des tirets.")
