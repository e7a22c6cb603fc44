"""How a mail's headers are written: folded, and in encoded words where they hold more than ASCII (RFC 5322, 2047).

Addresses, identifiers and the List-* fields stay in one piece: mail programs don't put them together again.
"""

from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP, EmailPolicy
from typing import Any

# RFC 2047, section 2: a line with an encoded word has 76 characters at most, hence the word 75.
_LINE = 76
_MIME = SMTP.clone(cte_type="7bit", max_line_length=_LINE)


class MailPolicy(EmailPolicy):
    """The e-mail package's policy for SMTP, but for what it folds too late, or where it mustn't.

    It would make an encoded word of an address that is longer than a line, and one of 77 characters of a subject.
    """

    def fold(self, name: str, value: Any) -> str:
        if hasattr(value, "addresses"):
            return f"{name}: " + ",\r\n ".join(self._address(name, one) for one in value.addresses) + "\r\n"
        if name.lower() == "subject":
            return f"{name}: {self._text(name, str(value), str(value))}\r\n"
        is_whole = not name.lower().startswith("content-") or name.lower() == "content-id"
        if not (is_whole and str(value).isascii()):
            return str(_MIME.fold(name, value))
        return f"{name}: {value}\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")

    def _text(self, name: str, text: str, plain: str) -> str:
        """`plain`, if that is short and can stand in a header as it is; otherwise the text in encoded words."""
        is_fit = (self.utf8 or plain.isascii()) and "=?" not in plain and len(name) + len(plain) + 2 <= _LINE
        return plain if is_fit else _words(name, text)

    def _address(self, name: str, address: Address) -> str:
        """`<address>` on a line of its own where it doesn't fit behind the name."""
        if not address.display_name:
            return str(address)
        box = f"<{address.addr_spec}>"
        words = self._text(name, address.display_name, str(address).removesuffix(f" {box}"))
        is_fit = len(f"{name}: {words}".rpartition("\r\n")[2]) + len(box) < _LINE
        return f"{words} {box}" if is_fit else f"{words}\r\n {box}"


# Seven bits on the way: not every server says that it takes eight.
MAIL_POLICY = MailPolicy(cte_type="7bit", linesep="\r\n", max_line_length=_LINE)
# For files that people open, and for a server that takes addresses in other letters: so are the headers (RFC 6532).
UTF8_POLICY = MAIL_POLICY.clone(utf8=True)


def encode(text: str) -> str:
    """One line that the e-mail package reads back as exactly this text, even if it looks like an encoded word."""
    return _words("", text).replace("\r\n", "")


def _words(name: str, text: str) -> str:
    """Encoded words, as many as it takes; a character is never cut in two (RFC 2047, section 5)."""
    return Header(text, "utf-8", maxlinelen=_LINE, header_name=name or None).encode(linesep="\r\n")
