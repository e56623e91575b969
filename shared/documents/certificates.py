"""What a certificate states, and the signatures in its file, which are verified without asking anybody.

The statement is canonical JSON (keys sorted, no spaces, ASCII and whole numbers only). Two signatures stand in the
file: one of the statement, which the QR code carries too, and one of the file itself, byte for byte, with the place of
that signature filled with zeros. Both stand in a keyword of the PDF, which its metadata repeats in clear.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from shared.auth.certificate_keys import is_signed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Sign = Callable[[bytes], bytes]

VERSION: Final = 1
CODE_BYTES: Final = 10
_SIGNATURE_CHARACTERS: Final = 86
_MOST_CHARACTERS: Final = 4_000
_EMPTY: Final = "0" * _SIGNATURE_CHARACTERS
_PLACE: Final = re.compile(
    rb"popcandy-certificate-1\.([A-Za-z0-9_-]{16,%d})\.([A-Za-z0-9_-]{86})\.([A-Za-z0-9_-]{86})" % _MOST_CHARACTERS
)
_ABOUT_STATEMENT: Final = (
    b"popcandy.certificate.statement.v1\x00"  # What is signed for one purpose is nothing for another.
)
_ABOUT_FILE: Final = b"popcandy.certificate.file.v1\x00"
_ABOUT_CODE: Final = b"popcandy.certificate.code.v1\x00"


class NotValid(Exception):
    """A file is no certificate as it was issued; `reason` says why, in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Statement:
    """What is certified; dates are local, `service_until` is excluded. `content` is the digest of all that is shown."""

    number: str
    programme: str
    service_from: str
    service_until: str
    minutes: int
    issued_on: str
    key: str
    content: str

    def canonical(self) -> bytes:
        """Write it as it is signed."""
        return canonical({"v": VERSION, **asdict(self)})


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with its signature."""

    statement: bytes
    signature: bytes

    @property
    def compact(self) -> str:
        """The two as text that fits into a QR code."""
        return f"{_text(self.statement)}.{_text(self.signature)}"

    @property
    def place(self) -> str:
        """The keyword that a file has to bear before `seal` can sign it."""
        return f"popcandy-certificate-1.{self.compact}.{_EMPTY}"

    @property
    def code(self) -> str:
        """What only who has the certificate knows: asked for where anybody may look."""
        digest = hashlib.sha256(_ABOUT_CODE + self.signature).digest()[:CODE_BYTES]
        return base64.b32encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Verified:
    """What a file states, and the signature of it."""

    statement: Statement
    signed: Signed


def canonical(value: Mapping[str, Any]) -> bytes:
    """Write JSON in the one way in which it is signed and hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a certificate shows, in base64url."""
    return _text(hashlib.sha256(canonical(content)).digest())


def signed(statement: Statement, sign: Sign) -> Signed:
    """Sign a statement."""
    content = statement.canonical()
    return Signed(content, sign(_ABOUT_STATEMENT + content))


def seal(pdf: bytes, of: Signed, sign: Sign) -> bytes:
    """Sign a file that bears the certificate's place, byte for byte; its length stays. Raises ValueError without it."""
    place = of.place.encode()
    if place not in pdf:
        raise ValueError("the file does not bear the place of its signature")
    signature = _text(sign(_ABOUT_FILE + hashlib.sha256(pdf).digest()))
    return pdf.replace(place, place[:-_SIGNATURE_CHARACTERS] + signature.encode())


def verify(pdf: bytes, find: Callable[[str], "Ed25519PublicKey | None"]) -> Verified:
    """Return what a file states, if it is byte for byte as it was issued. Raises NotValid.

    `find` returns the issuer's public key of an id: it never comes out of the file.
    """
    found = {match.group(0): match for match in _PLACE.finditer(pdf)}
    if len(found) != 1:
        raise NotValid("no_certificate" if not found else "several_statements")
    ((place, match),) = found.items()
    statement, of_statement, of_file = (_bytes(match[part]) for part in (1, 2, 3))
    told = _told(statement)
    key = find(told.key)
    if key is None:
        raise NotValid("unknown_key")
    if not is_signed(_ABOUT_STATEMENT + statement, of_statement, key=key):
        raise NotValid("statement_changed")
    empty = pdf.replace(place, place[:-_SIGNATURE_CHARACTERS] + _EMPTY.encode())
    if not is_signed(_ABOUT_FILE + hashlib.sha256(empty).digest(), of_file, key=key):
        raise NotValid("file_changed")
    return Verified(told, Signed(statement, of_statement))


def _told(statement: bytes) -> Statement:
    try:
        told = orjson.loads(statement)
        if told.pop("v") != VERSION:
            raise NotValid("unknown_version")
        return Statement(**told)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise NotValid("statement_unreadable") from error


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: bytes) -> bytes:
    """Read base64url that is written in the one way there is: else a changed character could mean the same bytes."""
    try:
        content = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotValid("statement_unreadable") from error
    if _text(content).encode() != text:
        raise NotValid("statement_unreadable")
    return content
