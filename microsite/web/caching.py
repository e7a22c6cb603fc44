"""What browsers keep of pages, and how they travel: Cache-Control, ETag, brotli or gzip.

Unless a view says otherwise a page is kept by its reader alone and asked for again each time (no-cache): it carries the
reader's campaign in its links, and dates and seats change. A page with a form holds a fresh token at each rendering, so
that its tag differs each time and it is never a 304; other pages are, and so is a page that is kept (page_cache.py).

Compression doesn't give secrets away (BREACH): public pages set no cookie, so that a page which another site
makes a reader's browser fetch holds nothing of that reader; a token that is new each time can't be found bit by bit,
and those of a kept page are anybody's for the asking.
"""

from flask import Flask, Response, request
from flask_compress import Compress

DEFAULT = "private, no-cache"
_COMPRESSED = ("text/html", "text/plain", "text/javascript", "text/xml", "application/xml", "image/svg+xml")
# Level 5 is where brotli begins to look for repetitions far apart: a form's markup comes three times on the article.
_BROTLI_LEVEL = 5
# As a power of two, of bytes. From 17 on each thread keeps a table of 1.4 MiB for it, at this level; pages are shorter.
_BROTLI_WINDOW = 16


def init_app(app: Flask) -> None:
    app.config.update(
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=_BROTLI_LEVEL,
        COMPRESS_BR_WINDOW=_BROTLI_WINDOW,
        COMPRESS_MIMETYPES=_COMPRESSED,
        # Files are sent as they lie on the disk, with their length and in the pieces asked for.
        COMPRESS_STREAMS=False,
    )
    # Hooks run in reverse: a page gets its tag, then is compressed, and the tag then names the encoding.
    Compress(app)
    app.after_request(_tag)


def _tag(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", DEFAULT)
    is_page = request.method in ("GET", "HEAD") and response.status_code == 200 and not response.is_streamed
    if is_page and not response.cache_control.no_store:
        response.add_etag()
        # For who takes no compression; Flask-Compress does the same for who does.
        response.make_conditional(request)
    return response
