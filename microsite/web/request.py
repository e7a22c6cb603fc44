"""Reading form bodies so that what isn't text can be told from what is."""

from typing import IO, Any
from urllib.parse import parse_qsl, quote_from_bytes

import flask
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge
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
        text = stream.read().decode(errors="replace")
        try:
            items = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=self.max_form_parts)
        except ValueError:
            raise RequestEntityTooLarge from None
        return stream, self.cls(items), self.cls()


class Request(flask.Request):
    form_data_parser_class = ReplacingFormParser

    def __init__(self, environ: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        # granian ends a body that was cut off on its way as if it were whole, and says that it ends each one. Without
        # that word Werkzeug reads as much as Content-Length announces, and refuses what is shorter.
        environ.pop("wsgi.input_terminated", None)
        super().__init__(environ, *args, **kwargs)
        # Bytes that no browser sends as they are, and that Werkzeug takes for UTF-8.
        query = quote_from_bytes(self.query_string, safe=_ASCII)
        self.query_string = query.encode()
        # What redirects of the routing repeat.
        environ["QUERY_STRING"] = query


def init_app(app: flask.Flask) -> None:
    app.before_request(_refuse_unmeasured)


def _refuse_unmeasured() -> None:
    """Refuse a chunked body: one that lacks its last chunk can't be told from a whole one.

    Browsers announce a form's length, and nginx does so for what it has read.
    """
    if "Transfer-Encoding" in flask.request.headers:
        raise LengthRequired


def is_public_post() -> bool:
    """Whether a visitor sends something to a page that is there."""
    # Behind the proxy, for it is asked several things.
    request = flask.request._get_current_object()  # type: ignore[attr-defined]
    return request.method == "POST" and request.routing_exception is None and not is_staff_s(request.path)


def is_staff_s(path: str) -> bool:
    """Whether what is there is for people who sign in. Werkzeug reads several slashes at the beginning as one."""
    return f"/{path.lstrip('/')}/".startswith(f"{STAFF_PREFIX}/")
