"""WeChat's message encryption: AES-256-CBC under the account's key, closed by length, app id and padding.

The cipher and the padding that we write are wechatpy's. Opening is ours, because wechatpy trusts the padding
and the length that it finds; so is the random beginning, because wechatpy's does not come from the system.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import Any

from wechatpy.crypto.cryptography import WeChatCipher
from wechatpy.crypto.pkcs7 import PKCS7Encoder

AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}", re.ASCII)
PREFIX_BYTES = 16  # random, before the length
LENGTH_BYTES = 4
PADDING_MAX = 32  # WeChat pads to 32, though AES blocks have 16


class Unsealable(Exception):
    """This ciphertext was not made for us with one of our keys. Carries no part of it."""


@dataclass(frozen=True, repr=False)
class Key:
    """One EncodingAESKey of one account. Has no repr: it must not reach a log by accident."""

    cipher: Any
    app_id: bytes

    def open(self, sealed: str) -> bytes:
        """The plain document in a base64 text. Raises Unsealable unless padding, length and app id all agree."""
        try:
            ciphertext = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            raise Unsealable from None
        if not ciphertext or len(ciphertext) % 16:
            raise Unsealable
        plain: bytes = self.cipher.decrypt(ciphertext)
        count = plain[-1]
        if not 1 <= count <= PADDING_MAX or plain[-count:] != bytes([count]) * count:
            raise Unsealable
        content = plain[PREFIX_BYTES:-count]
        length = int.from_bytes(content[:LENGTH_BYTES], "big")
        document, owner = content[LENGTH_BYTES:][:length], content[LENGTH_BYTES + length :]
        if not hmac.compare_digest(owner, self.app_id):  # nor does it end so with a length that is wrong
            raise Unsealable
        return document

    def seal(self, document: bytes) -> str:
        """`document` as the base64 text that only the holder of this key opens."""
        length = len(document).to_bytes(LENGTH_BYTES, "big")
        content = os.urandom(PREFIX_BYTES) + length + document + self.app_id
        return base64.b64encode(self.cipher.encrypt(PKCS7Encoder.encode(content))).decode("ascii")


def key_from(encoded: str, *, app_id: str, name: str) -> Key:
    """The key behind the 43 characters of the console. `name` is the setting's, for the message of the error.

    Raises ValueError, without the value, when it is no such key.
    """
    if not AES_KEY.fullmatch(encoded):
        raise ValueError(f"{name} must be the 43 letters and digits that the WeChat console shows")
    return Key(WeChatCipher(base64.b64decode(encoded + "=")), app_id.encode())


def signature(*parts: str) -> str:
    """WeChat's signature over these texts: SHA-1 of them sorted and joined, 40 lower-case hex digits."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def same_signature(given: str, *parts: str) -> bool:
    """Whether `given` is the signature over `parts`; takes the same time either way."""
    return hmac.compare_digest(given.encode(), signature(*parts).encode())
