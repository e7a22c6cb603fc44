"""What a submission's follow-ups (a seat, a mail) go by, whether it was just written or was there already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .models import Submission, SubmissionStatus


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`lead_id` is None as long as it is held back."""

    id: int
    reference: str
    lead_id: int | None
    status: SubmissionStatus
    answers: Mapping[str, Any]

    @classmethod
    def of(cls, submission: Submission) -> Self:
        return cls(
            id=submission.id,
            reference=submission.reference,
            lead_id=submission.lead_id,
            status=submission.status,
            answers=submission.answers,
        )
