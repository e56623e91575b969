from pathlib import Path
from typing import Any

import pytest

from shared.auth import certificate_keys
from shared.auth.certificate_keys import BadCertificateKey, CertificateKeys, is_signed, new_seed, public_keys


def test_what_one_key_signs_no_other_has_signed() -> None:
    """Nor is it of another content."""
    old, new = new_seed(), new_seed()
    keys = CertificateKeys([new, old])
    known = public_keys(keys.jwks())
    assert list(known) == list(keys.ids)
    assert keys.newest == CertificateKeys([new]).newest

    signature = keys.sign(b"hours", key_id=keys.ids[1])

    assert is_signed(b"hours", signature, key=known[keys.ids[1]])
    assert not is_signed(b"hours", signature, key=known[keys.ids[0]])
    assert not is_signed(b"hour", signature, key=known[keys.ids[1]])
    assert not is_signed(b"hours", signature[:-1], key=known[keys.ids[1]])
    with pytest.raises(KeyError):
        keys.sign(b"hours", key_id="another")


def test_only_public_parts_are_published() -> None:
    """Whoever has the set can verify and not sign."""
    seed = new_seed()
    (key,) = CertificateKeys([seed]).jwks()["keys"]

    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}
    assert seed not in str(key)


@pytest.mark.parametrize("seeds", [[], ["short"], ["!" * 43], [new_seed() + "A"]])
def test_what_is_no_key_is_refused_at_the_start(seeds: list[str]) -> None:
    """And not when the first certificate is asked for."""
    with pytest.raises(BadCertificateKey):
        CertificateKeys(seeds)


@pytest.mark.parametrize("jwks", [{}, {"keys": [1]}, {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "!"}]}])
def test_what_is_no_set_of_keys_is_said(jwks: dict[str, Any]) -> None:
    """In one line."""
    with pytest.raises(BadCertificateKey):
        public_keys(jwks)


def test_keys_of_another_kind_are_passed_over() -> None:
    """As RFC 7517 section 5 asks."""
    assert public_keys({"keys": [{"kty": "EC", "crv": "P-256"}]}) == {}


def test_a_folder_keeps_its_keys_and_a_new_one_comes_first(tmp_path: Path) -> None:
    """Nobody but their owner reads them; what the old ones signed can still be verified."""
    first = certificate_keys.seeds_of(tmp_path / "home")
    assert certificate_keys.seeds_of(tmp_path / "home") == first

    newest = certificate_keys.rotate(tmp_path / "home")

    seeds = certificate_keys.seeds_of(tmp_path / "home")
    assert seeds[1:] == first
    assert CertificateKeys(seeds).newest == newest
    assert (tmp_path / "home" / "certificate-keys").stat().st_mode & 0o077 == 0


def test_a_process_signs_with_what_it_was_told() -> None:
    """The last telling holds."""
    seed = new_seed()
    certificate_keys.use([seed])
    used = certificate_keys.certificate_keys()
    assert used is not None
    assert used.newest == CertificateKeys([seed]).newest
