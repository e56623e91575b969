"""Listings and shifts as of some seasons, synthetic and always the same: to look at plans, and to measure.

`.venv/bin/python -m tests.activities.openings.season` measures: five times the season of 2022, in programmes of which
the first is looked at.
"""

import random
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.listings.actions import NewListing, NewShift, add_listings, read_listings
from services.activities.listings.rules import Times
from services.activities.openings.queries import OPENINGS, openings_of
from services.activities.openings.schemas import shown_openings
from services.activities.profiles import actions as profiles
from services.activities.recommendations import actions as recommendations
from services.activities.recommendations.schemas import shown
from shared.database.keyset import filtered, read_page
from shared.database.server import Server, role_of
from shared.ids import new_id
from tests.factories.activities import NINE, REVIEWER, make_partner, make_shift, make_sign_up, make_volunteer
from tests.servers.postgres import private_server

SHARES = (3, 1, 1)  # Seasons of three programmes.
LISTINGS_A_SEASON = 1_600
WHAT = ("净滩", "读书会", "支教", "助农", "义诊", "植树", "图书整理", "陪伴老人", "手语课", "编程课", "助盲跑")
WHOM = ("社区", "敬老院", "小学", "乡村", "公园", "博物馆", "康复中心", "流动图书馆", "儿童医院", "湿地", "校园")
CITIES = ("上海", "北京", "重庆", "厦门", "长沙", "成都", "深圳", "西安", "杭州", "武汉")
STREETS = ("环岛路", "长安街", "人民路", "解放碑", "滨江大道", "中山路", "朝阳门", "行知路", "重华巷", "乐清街")
SAID = ("和居民一起", "整理", "记录", "讲解", "分发物资", "清理", "登记", "引导", "拍照", "每次两小时", "由社工带领")
PARTNERS = ("绿叶", "同行", "蓝海", "乐龄", "守望", "晨光", "长青", "单车", "银杏", "麦田")
MODES = ("on_site", "on_site", "on_site", "online", "craft")
SKILLS = ("teaching", "reading", "driving", "design", "first-aid")


def publish(tx: Session, *, programme_id: UUID, listings: int, now: datetime, seed: int = 22) -> None:
    """Publish listings of one shift each, all of them to come, through the one path that there is."""
    chance = random.Random(seed)  # noqa: S311  Data, not secrets.
    hosts = [make_partner(tx, programme_id=programme_id, name=f"{chance.choice(PARTNERS)}公益").id for _ in range(60)]
    new = [_listing(chance, chance.choice(hosts), number, now) for number in range(listings)]
    for start in range(0, listings, 500):
        add_listings(tx, programme_id=programme_id, listings=new[start : start + 500], now=now)


def _listing(chance: random.Random, partner_id: UUID, number: int, now: datetime) -> NewListing:
    starts_at = now + timedelta(minutes=chance.randrange(60, 90 * 24 * 60))
    shift = NewShift(1, Times(starts_at, starts_at + timedelta(hours=3)), 20, 5)
    about = "".join(chance.choice((*SAID, *WHAT, *WHOM)) for _ in range(40))
    return NewListing(
        partner_id, f"S-{number}", f"{chance.choice(WHOM)}{chance.choice(WHAT)} {number}", "Asia/Shanghai", (shift,),
        mode=chance.choice(MODES), city=chance.choice(CITIES), description=about,
        place=f"{chance.choice(STREETS)}{number % 900}号", skills=tuple(chance.sample(SKILLS, 1)),
    )  # fmt: skip


def analyse(tx: Session) -> None:
    """Let PostgreSQL tidy up and know what there is, as it does by itself; only an owner may ask for that."""
    tx.execute(text("SET LOCAL ROLE NONE"))
    for table in ("listing", "listing_words", "shift", "sign_up", "partner"):
        tx.execute(text(f"ANALYZE {table}"))
    tx.execute(text("SELECT gin_clean_pending_list('listing_words_words_idx')"))
    tx.execute(text(f"SET LOCAL ROLE {role_of('activities')}"))


def page(tx: Session, programme_id: UUID, *, now: datetime, **asked: Any) -> list[Any]:
    """Read a first page as the door does."""
    rows = filtered(openings_of(programme_id, None, now=now), OPENINGS.filters, asked)
    found, _ = read_page(tx, rows, OPENINGS.order("starts_at"), place=None, limit=50)
    return list(shown_openings(tx, found))


def _median_ms(run: Callable[[], object], times: int = 15) -> float:
    run()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1_000


ASKED: dict[str, dict[str, Any]] = {
    "everything": {},
    "two characters, common": {"text": "敬老"},
    "three characters": {"text": "敬老院"},
    "one character": {"text": "老"},
    "a long term": {"text": "敬老院陪伴老人"},
    "nothing is found": {"text": "冲浪"},
    "pinyin": {"text": "jinglao"},
    "pinyin of a place": {"text": "chongqing"},
    "initials": {"text": "jl"},
    "one letter": {"text": "j"},
    "two words": {"text": "敬老院 cq"},
    "ten words": {"text": "a b c d j l s x y z"},
    "skill": {"skill": "teaching"},
    "city and mode": {"city": "重庆", "mode": "online"},
    "weekend evenings with room": {"day": "weekend", "part": "evening", "has_room": True},
    "text and city": {"text": "敬老", "city": "厦门"},
}


def main() -> None:
    """Measure on a server and in a database of its own."""
    with private_server() as running:
        server = Server(running.url)
        server.prepare("activities")
        database = server.open("activities", pool_size=1)
        with database.transaction() as tx:
            programme_id = _fill(tx)
            for name, milliseconds in waits(tx, programme_id).items():
                _say(name, milliseconds)
            _measure_recommendations(tx, programme_id)
        database.close()


def fill(tx: Session) -> UUID:
    """Publish five seasons of listings in three programmes, and read them; return the largest programme."""
    programmes = [new_id() for _ in range(3)]
    for seed, (programme_id, share) in enumerate(zip(programmes, SHARES, strict=True)):
        publish(tx, programme_id=programme_id, listings=share * LISTINGS_A_SEASON, now=NINE, seed=seed)
    while read_listings(tx):
        pass
    analyse(tx)
    return programmes[0]


def waits(tx: Session, programme_id: UUID) -> dict[str, float]:
    """Ask everything; return the milliseconds in the middle by what was asked."""
    return {name: _median_ms(partial(page, tx, programme_id, now=NINE, **asked)) for name, asked in ASKED.items()}


def _fill(tx: Session) -> UUID:
    began = time.perf_counter()
    programme_id = fill(tx)
    _say("published and read, a listing", (time.perf_counter() - began) * 1_000 / (sum(SHARES) * LISTINGS_A_SEASON))
    for size in ("listing_words_words_idx", "listing_words"):
        megabytes = tx.execute(text("SELECT pg_total_relation_size(:name) / 1e6"), {"name": size}).scalar_one()
        typer.echo(f"{size}: {megabytes:.1f} MB")
    return programme_id


def _measure_recommendations(tx: Session, programme_id: UUID) -> None:
    person = make_volunteer(tx, programme_id=programme_id)
    said = profiles.Said(person.id, "研发", "上海", ("zh",), ("teaching", "design"))
    profiles.take_over(tx, [said], programme_id=programme_id, by=REVIEWER, now=NINE)
    for days in range(1, 60):
        starts_at, ends_at = NINE - timedelta(days=days), NINE - timedelta(days=days, hours=-3)
        shift = make_shift(tx, programme_id=programme_id, starts_at=starts_at, ends_at=ends_at)
        make_sign_up(tx, shift, volunteer=person, state="attended")

    def recommend() -> object:
        asked = {"programme_id": programme_id, "volunteer_id": person.id}
        return shown(tx, recommendations.recommend(tx, **asked, is_personal=True, now=NINE), is_personal=True)

    _say("recommendations", _median_ms(recommend))


def _say(what: str, milliseconds: float) -> None:
    typer.echo(f"{what}: {milliseconds:.2f} ms")


if __name__ == "__main__":
    main()
