"""Delivery reports as mail servers write them."""

REPORT = """\
From: Mail Delivery System <MAILER-DAEMON@mx.exemple.fr>
To: sender@ecole.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="=_limite"

--=_limite
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--=_limite
Content-Type: {kind}
{coding}
{status}
--=_limite
Content-Type: {returned}

From: sender@ecole.example
To: zoe@exemple.fr
Message-ID:
 {message_id}
Subject: Votre brochure

--=_limite--
"""
STATUS = """\
Reporting-MTA: dns; mx.exemple.fr
Arrival-Date: Mon, 4 Jan 2027 10:00:00 +0100

{recipients}"""
RECIPIENT = """\
Final-Recipient: {recipient}
Original-Recipient: rfc822;{original}
Action: {action}
Status: {code}
Diagnostic-Code: smtp; 550 5.1.1 User unknown
"""
AWAY = b"""\
From: zoe@exemple.fr
To: sender@ecole.example
Subject: Absente
Auto-Submitted: auto-replied
In-Reply-To: %s

Je rentre lundi.
"""


def recipient(
    to: str = "rfc822; zoe@exemple.fr", *, action: str = "failed", code: str = "5.1.1", original: str = "zoe@exemple.fr"
) -> str:
    return RECIPIENT.format(recipient=to, action=action, code=code, original=original)


def report(
    message_id: str,
    *recipients: str,
    kind: str = "message/delivery-status",
    coding: str = "",
    returned: str = "text/rfc822-headers",
) -> bytes:
    status = STATUS.format(recipients="\n".join(recipients or (recipient(),)))
    return REPORT.format(kind=kind, coding=coding, status=status, returned=returned, message_id=message_id).encode()
