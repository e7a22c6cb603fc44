"""PDFs as programs write them."""

import io

from pypdf import PdfWriter


def locked(content: bytes, *, user: str, owner: str | None = None, algorithm: str = "AES-256") -> bytes:
    """The same document, encrypted; an empty `user` password opens it without asking."""
    writer, written = PdfWriter(clone_from=io.BytesIO(content)), io.BytesIO()
    writer.encrypt(user, owner, algorithm=algorithm)
    writer.write(written)
    return written.getvalue()
