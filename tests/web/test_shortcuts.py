"""What is plain is handled at once: with the same outcome as what isn't."""

import hashlib
import unicodedata

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from microsite.campaigns.attribution import LIMIT, NAMES, folded, tidy
from microsite.web.fields import _is_legible, _is_visible, legible
from microsite.web.links import LinkForged, _serializer, unsign


@given(st.text(st.characters(max_codepoint=0x2FFF)), st.booleans())
@example("Zoé\ufffd", False)
@example("a\u200db \n", True)
@example("\u3164 \u2800", False)
def test_legible_text_is_what_each_of_its_signs_makes_it(text: str, multiline: bool) -> None:
    once = legible(text, multiline=multiline)

    assert all(_is_legible(char, multiline=multiline) for char in once)
    kept = "".join(char for char in text if _is_legible(char, multiline=multiline))
    if all(_is_legible(char, multiline=multiline) for char in text):
        assert once == (unicodedata.normalize("NFC", kept) if any(map(_is_visible, kept)) else "")


@given(st.sampled_from(NAMES), st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=2 * LIMIT))
@example("utm_source", "  Salon  de l'Etudiant ")
def test_plain_source_is_tidied_as_any_other(name: str, text: str) -> None:
    # One sign that isn't plain, and that goes.
    assert tidy(name, text) == tidy(name, f"{text}\u0000")


def test_case_of_plain_text_is_folded_as_unicode_does() -> None:
    plain = "".join(map(chr, range(0x20, 0x7F)))

    assert plain.lower() == folded(plain)


@pytest.mark.parametrize("payload", [["BRO-222222", 1], "x" * 200], ids=["short", "compressed"])
def test_links_signed_before_are_opened_still(app: Flask, payload: object) -> None:
    with app.app_context():
        signer = URLSafeTimedSerializer(
            str(app.secret_key), salt="purpose", signer_kwargs={"digest_method": hashlib.sha256}
        )

        assert unsign("purpose", signer.dumps(payload), max_age=60)[0] == payload


def test_another_salt_is_another_signature(app: Flask) -> None:
    with app.app_context():
        signer = _serializer("purpose")

        assert unsign("purpose", str(signer.dumps("payload")), max_age=60)[0] == "payload"
        with pytest.raises(LinkForged):
            unsign("purpose", str(signer.dumps("payload", salt="other")), max_age=60)
