"""Which page shows what: the article, or a form by its name."""

ARTICLE = "article"
# What a visit to a short address counts as, before the page that it leads to.
LINK = "lien"

ARTICLE_ENDPOINT = "article.home"
# The form's name → its own page.
FORM_ENDPOINTS = {"brochure": "brochures.ask", "open-day": "open_days.register", "application": "applications.apply"}

_PAGES = {
    ARTICLE_ENDPOINT: ARTICLE,
    "article.show": ARTICLE,
    **{endpoint: form for form, endpoint in FORM_ENDPOINTS.items()},
}


def target_endpoint(form: str) -> str:
    """Where a campaign for this form leads; the article for none."""
    return FORM_ENDPOINTS.get(form, ARTICLE_ENDPOINT)


def page_of(endpoint: str | None) -> str | None:
    """The name that this site's own page is counted under, None if it isn't; framed ones see `embeds`."""
    return _PAGES.get(endpoint or "")
