"""The steps from a view to a brochure opened or a seat taken, and what part of each goes on."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Counts:
    """`views` are the article's, where the three forms stand.

    `downloads` are the submissions whose brochure was opened, once or more, `requests` those that it can follow.
    """

    links: int
    views: int
    form_views: int
    submissions: int
    downloads: int
    requests: int
    # Submissions that hold a seat, or came.
    registrations: int

    @property
    def form_view_rate(self) -> float | None:
        return _rate(self.form_views, self.views)

    @property
    def submission_rate(self) -> float | None:
        """Of all the views that showed the form."""
        return _rate(self.submissions, self.views + self.form_views)

    @property
    def download_rate(self) -> float | None:
        """Of the requests for a brochure."""
        return _rate(self.downloads, self.requests)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
