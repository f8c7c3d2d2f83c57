"""Pick-up codes: made, read from what people type, and written for them."""

from __future__ import annotations

import secrets

CODE_ALPHABET = "23456789CDFGHJKMNPQRTVWXY"  # no 0 O 1 I L, no B S Z beside 8 5 2, no vowels that make words
CODE_LENGTH = 8
_MISREAD = str.maketrans("BSZ", "852")  # what people write for a digit that they see


def new_code() -> str:
    """Eight random characters that are hard to mistake for each other."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str | None:
    """The pick-up code in what somebody typed (any case, with or without the dash); None when it is none."""
    code = "".join(letter for letter in text.upper() if letter not in "-－— ").translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and set(code) <= set(CODE_ALPHABET) else None


def written_code(code: str | None) -> str:
    """A pick-up code as people read it: 7K4M-29QD."""
    return f"{code[:4]}-{code[4:]}" if code else ""
