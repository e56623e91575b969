"""A person's browser without scripts: signs in at the issuer's page and taps buttons of the console's pages."""

import re
from uuid import UUID

import httpx2

_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]+)">')


def phone(pages_url: str) -> httpx2.Client:
    """Return a browser before the console's pages; whoever calls this closes it."""
    return httpx2.Client(
        base_url=pages_url, follow_redirects=True, trust_env=False, timeout=30, headers={"accept-language": "en"}
    )


def sign_in(phone: httpx2.Client, next_path: str, *, person_id: UUID) -> httpx2.Response:
    """Sign in as somebody, at the issuer's page where it has one, and return the page that was wanted."""
    page = phone.get("/sign-in", params={"next": next_path})
    if 'name="person"' in page.text:
        page = tap(phone, page, _ACTION.findall(page.text)[0], person=str(person_id))
    page.raise_for_status()
    return page


def tap(phone: httpx2.Client, page: httpx2.Response, path: str, **fields: str) -> httpx2.Response:
    """Post a form of a page, with its hidden fields, and return the page that follows."""
    url = page.url.join(path)
    origin = f"{url.scheme}://{url.netloc.decode()}"
    return phone.post(url, data=dict(_FIELD.findall(page.text)) | fields, headers={"origin": origin})
