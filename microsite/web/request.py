"""Reading form bodies so that what isn't text can be told from what is."""

from typing import IO, Any
from urllib.parse import parse_qsl, quote_from_bytes

import flask
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

# Where staff work: it has sessions, and judges for itself who sends what (backoffice/guard.py).
STAFF_PREFIX = "/admissions"
_ASCII = bytes(range(0x21, 0x7F))
URLENCODED = "application/x-www-form-urlencoded"


class ReplacingFormParser(FormDataParser):
    """Bytes that aren't UTF-8 become U+FFFD, which the fields refuse with a message.

    Werkzeug's own parser leaves them percent-encoded, where nobody can tell them from a typed « %ED ».
    """

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, Any]]:
        if mimetype != URLENCODED:
            return super().parse(stream, mimetype, content_length, options)
        body = stream.read()
        # Cut off on its way, which the server doesn't tell: what is missing mustn't be taken for left out.
        if content_length is not None and len(body) < content_length:
            raise ClientDisconnected
        # Without a length (chunked), a body that is too large ends at the limit as if it were whole.
        if content_length is None and self.max_content_length is not None and len(body) >= self.max_content_length:
            raise RequestEntityTooLarge
        text = body.decode(errors="replace")
        try:
            items = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=self.max_form_parts)
        except ValueError:
            raise RequestEntityTooLarge from None
        return stream, self.cls(items), self.cls()


class Request(flask.Request):
    form_data_parser_class = ReplacingFormParser

    def __init__(self, environ: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(environ, *args, **kwargs)
        # Bytes that no browser sends as they are, and that Werkzeug takes for UTF-8.
        query = quote_from_bytes(self.query_string, safe=_ASCII)
        self.query_string = query.encode()
        # What redirects of the routing repeat.
        environ["QUERY_STRING"] = query


def is_public_post() -> bool:
    """Whether a visitor sends something to a page that is there."""
    # Behind the proxy, for it is asked several things.
    request = flask.request._get_current_object()  # type: ignore[attr-defined]
    return request.method == "POST" and request.routing_exception is None and not is_staff_s(request.path)


def is_staff_s(path: str) -> bool:
    """Whether what is there is for people who sign in."""
    return path == STAFF_PREFIX or path.startswith(f"{STAFF_PREFIX}/")
