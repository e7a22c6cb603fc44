"""What a scanner that types as if on a US keyboard gives on a computer set to AZERTY (Windows, fr-FR)."""

_US = "1234567890-=qwertyuiop[]asdfghjkl;'zxcvbnm,./" + '!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?'
_FRANCE = "&é\"'(-è_çà)=azertyuiop^$qsdfghjklmùwxcvbn,;:!" + "1234567890°+AZERTYUIOP¨£QSDFGHJKLM%WXCVBN?./§"
_ON_AZERTY = str.maketrans(_US, _FRANCE)


def scanned_on_azerty(text: str) -> str:
    """Each key alone, or with Shift."""
    return text.translate(_ON_AZERTY)
