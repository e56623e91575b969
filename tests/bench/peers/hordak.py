"""django-hordak by itself, without a broker: a transaction with two legs in an atomic block, committed one by one.

Reads lines of [partner, fen]; its database is its own, made by its migrations.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

import django
import orjson
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from moneyed import Money
from sqlalchemy import make_url

from tests.bench.peers.environment import DATABASE_URL

WARM_UP = 0.2
url = make_url(DATABASE_URL)
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.database,
            "HOST": url.query.get("host", url.host),
            "USER": url.username,
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "mptt", "hordak"],
    DEFAULT_CURRENCY="CNY",
    HORDAK_CURRENCIES=["CNY"],
    HORDAK_INTERNAL_CURRENCY="CNY",
    USE_TZ=True,
)
django.setup()

from hordak.models import Account, AccountType, Leg, Transaction  # noqa: E402  Models are there after the setup.

Line = tuple[str, int]


def post(expense: Any, payable: Any, fen: int) -> None:
    amount = Money(fen, "CNY") / 100
    with transaction.atomic():
        posted = Transaction.objects.create(description="accrual")
        Leg.objects.create(transaction=posted, account=expense, debit=amount)
        Leg.objects.create(transaction=posted, account=payable, credit=amount)


def post_all(lines: Sequence[Line], expense: Any, payables: dict[str, Any]) -> None:
    for partner, fen in lines:
        post(expense, payables[partner], fen)


def main(lines: Sequence[Line]) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    expense = Account.objects.create(name="5110", type=AccountType.expense, currencies=["CNY"])
    payables = {
        partner: Account.objects.create(name=f"2110 {partner}", type=AccountType.liability, currencies=["CNY"])
        for partner in sorted({partner for partner, _ in lines})
    }
    warm = round(len(lines) * WARM_UP)
    post_all(lines[:warm], expense, payables)
    begun, used = time.monotonic(), time.process_time()
    post_all(lines[warm:], expense, payables)
    seconds, cpu, timed = time.monotonic() - begun, time.process_time() - used, len(lines) - warm
    return {
        "rate": timed / seconds,
        "cpu_us": cpu * 1e6 / timed,
        "transactions": Transaction.objects.count(),
        "expense": _fen(expense),
        "owed": {partner: _fen(account) for partner, account in payables.items()},
    }


def _fen(account: Any) -> int:
    return int(account.get_balance()["CNY"].amount * 100)


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(main([orjson.loads(line) for line in sys.stdin.buffer])))
