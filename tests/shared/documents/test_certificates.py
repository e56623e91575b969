import base64
import random
import re
from dataclasses import replace
from functools import partial

import orjson
import pytest

from shared.auth.certificate_keys import CertificateKeys, new_seed, public_keys
from shared.documents import certificates, typesetting
from shared.documents.certificates import NotValid, Signed, Statement
from tests.shared.documents.papers import make_paper

KEYS = CertificateKeys([new_seed()])
KNOWN = public_keys(KEYS.jwks())
SIGN = partial(KEYS.sign, key_id=KEYS.newest)
STATEMENT = Statement(
    number="PC-2026-000001", programme="p", service_from="2026-01-01", service_until="2027-01-01", minutes=180,
    issued_on="2026-11-27", key=KEYS.newest, content="x" * 43,
)  # fmt: skip


def issued(statement: Statement = STATEMENT) -> bytes:
    signed = certificates.signed(statement, SIGN)
    return certificates.seal(typesetting.typeset(replace(make_paper(), keywords=[signed.place])), signed, SIGN)


FILE = issued()
PLACE = re.compile(rb"popcandy-certificate-1\.([\w-]+)\.([\w-]{86})\.([\w-]{86})")


def reason(pdf: bytes) -> str:
    with pytest.raises(NotValid) as refusal:
        certificates.verify(pdf, KNOWN.get)
    return refusal.value.reason


def test_a_file_as_it_was_issued_states_what_was_certified() -> None:
    """Without asking anybody; the same paper gives the same bytes."""
    found = certificates.verify(FILE, KNOWN.get)

    assert found.statement == STATEMENT
    assert found.signed == certificates.signed(STATEMENT, SIGN)
    assert issued() == FILE


def test_the_place_stands_in_clear_wherever_the_file_names_its_keywords() -> None:
    """In its dictionary and in its metadata, which PDF/A wants to say the same."""
    assert len(PLACE.findall(FILE)) == 2
    assert len(set(PLACE.findall(FILE))) == 1


def test_any_one_byte_that_is_changed_breaks_it() -> None:
    """All bytes of both places, and a thousand of the others, each flipped in one bit."""
    chance = random.Random(22)  # noqa: S311  It need not be secret.
    inside = {place for match in PLACE.finditer(FILE) for place in range(*match.span())}
    outside = chance.sample([place for place in range(len(FILE)) if place not in inside], 1_000)
    for place in [*inside, *outside]:
        changed = bytearray(FILE)
        changed[place] ^= 1 << chance.randrange(8)
        assert reason(bytes(changed))


def test_a_signature_written_otherwise_is_another() -> None:
    """The last character of one has four bits that mean nothing: they have to be what they are."""
    (_, _, signature), _ = PLACE.findall(FILE)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1:])
    for other in range(last - last % 16, last - last % 16 + 16):
        forged = signature[:-1] + alphabet[other : other + 1]
        if forged != signature:
            assert base64.urlsafe_b64decode(forged + b"==") == base64.urlsafe_b64decode(signature + b"==")
            assert reason(FILE.replace(signature, forged)) == "statement_unreadable"


def test_nothing_can_be_added_or_taken_away() -> None:
    """Not even behind the end, where readers of PDF look past it."""
    assert reason(FILE + b"\n") == "file_changed"
    assert reason(FILE[:-1]) == "file_changed"
    assert reason(b"") == "no_certificate"
    assert reason(FILE[: len(FILE) // 2]) in {"no_certificate", "file_changed"}


def test_a_statement_is_not_carried_into_another_file() -> None:
    """Its own signature holds there, and the file's does not."""
    signed = certificates.signed(STATEMENT, SIGN)
    other = typesetting.typeset(replace(make_paper(), title="别的", keywords=[signed.place]))
    (_, _, signature), _ = PLACE.findall(FILE)

    assert reason(other.replace(b"0" * 86, signature)) == "file_changed"


def test_a_statement_that_was_raised_is_noticed() -> None:
    """Signed by the file's key or not at all."""
    raised = replace(STATEMENT, minutes=6_000)
    signed = certificates.signed(STATEMENT, SIGN)
    forged = Signed(raised.canonical(), signed.signature)
    pdf = typesetting.typeset(replace(make_paper(), keywords=[forged.place]))

    assert reason(certificates.seal(pdf, forged, SIGN)) == "statement_changed"


def test_two_statements_in_one_file_are_one_too_many() -> None:
    """Which of them would be shown?"""
    other = certificates.signed(replace(STATEMENT, minutes=1), SIGN)
    assert reason(FILE + other.place.encode()) == "several_statements"


def test_only_the_issuers_keys_count() -> None:
    """One in the file would be anybody's."""
    stranger = CertificateKeys([new_seed()])
    with pytest.raises(NotValid, match="unknown_key"):
        certificates.verify(FILE, public_keys(stranger.jwks()).get)


@pytest.mark.parametrize(
    "told", [b"[]", b"{}", b'{"v": 2}', b"not json at all", orjson.dumps({"v": 1, "number": "x", "more": "fields"})]
)
def test_what_says_something_else_is_not_read(told: bytes) -> None:
    """Whoever signed it."""
    text = base64.urlsafe_b64encode(told).rstrip(b"=").decode()
    place = f"popcandy-certificate-1.{text}.{'A' * 86}.{'A' * 86}".encode()

    assert reason(place) in {"no_certificate", "statement_unreadable", "unknown_version"}


def test_a_file_without_the_place_cannot_be_sealed() -> None:
    """It would carry no signature, and nobody would notice."""
    with pytest.raises(ValueError, match="place"):
        certificates.seal(b"%PDF", certificates.signed(STATEMENT, SIGN), SIGN)


def test_a_code_is_of_one_certificate() -> None:
    """And does not depend on anything else: whoever keeps the signature can tell it again."""
    signed = certificates.signed(STATEMENT, SIGN)
    assert signed.code == certificates.signed(STATEMENT, SIGN).code
    assert signed.code != certificates.signed(replace(STATEMENT, minutes=1), SIGN).code
    assert re.fullmatch("[A-Z2-7]{16}", signed.code)


def test_what_is_signed_does_not_depend_on_the_order_of_fields() -> None:
    """One way to write it, ASCII and whole numbers."""
    assert certificates.canonical({"b": 1, "a": "x"}) == b'{"a":"x","b":1}'
    assert certificates.digest_of({"b": 1, "a": "x"}) == certificates.digest_of({"a": "x", "b": 1})
    assert STATEMENT.canonical().isascii()
