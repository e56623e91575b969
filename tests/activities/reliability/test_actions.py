from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.merges import actions as merges
from services.activities.personal_data import actions as personal_data
from services.activities.reliability import actions, queries, rules
from services.activities.reliability.actions import Decision
from services.activities.reliability.rules import AppealDecided, AppealMade, NotAppealable
from services.activities.reliability.tables import Appeal
from services.activities.sign_ups.tables import SignUp
from shared.errors import ChangedSince, NotFound
from shared.seen import ANYTHING, Seen
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_merge,
    make_shift,
    make_sign_up,
    make_volunteer,
)


@pytest.fixture
def place(tx: Session) -> SignUp:
    return make_sign_up(tx, make_shift(tx), state="no_show", ended_at=NOON)


def appeal(tx: Session, place: SignUp, *, volunteer_id: UUID | None = None) -> Appeal:
    return actions.appeal(
        tx, programme_id=PROGRAMME, volunteer_id=volunteer_id or place.volunteer_id, sign_up_id=place.id,
        because="堵车", now=NOON,
    )  # fmt: skip


def decide(tx: Session, made: Appeal, *, seen: Seen = ANYTHING, is_excused: bool = True) -> Appeal:
    return actions.decide(tx, Decision(PROGRAMME, made.id, is_excused, "可谅解", seen, REVIEWER, at(20)))


def percent(tx: Session, volunteer_id: UUID) -> int:
    places = queries.list_places(tx, [volunteer_id], now=NOON)
    return rules.score(rules.explain((each.happened for each in places), now=NOON))


class TestListPlaces:
    def test_what_became_of_places_is_told_newest_first(self, tx: Session) -> None:
        """Of several people at once; what is to come, was withdrawn in time or excused is no fact."""
        people = [make_volunteer(tx) for _ in range(2)]
        for number, state in enumerate(("attended", "missed", "no_show", "late_withdrawn", "withdrawn", "excused")):
            start = NINE - timedelta(days=number)
            shift = make_shift(tx, starts_at=start, ends_at=start + timedelta(hours=1))
            for person in people:
                make_sign_up(tx, shift, volunteer=person, state=state, ended_at=NOON)
        make_sign_up(tx, make_shift(tx), volunteer=people[0])

        found = queries.list_places(tx, [person.id for person in people], now=NOON)

        for person in people:
            own = [each.state for each in found if each.volunteer_id == person.id]
            assert own == ["attended", "missed", "no_show", "late_withdrawn"]
        assert queries.list_places(tx, [], now=NOON) == []


class TestAppeal:
    def test_what_is_excused_counts_no_more(self, tx: Session, place: SignUp) -> None:
        """Until it is decided it counts."""
        made = appeal(tx, place)
        assert (made.note, made.appealed_at, made.is_excused) == ("堵车", NOON, None)
        assert percent(tx, place.volunteer_id) == 66

        decided = decide(tx, made)

        assert (decided.is_excused, decided.because, decided.decided_by, decided.decided_at) == (
            True, "可谅解", REVIEWER, at(20),
        )  # fmt: skip
        assert percent(tx, place.volunteer_id) == 100

    def test_what_is_not_excused_goes_on_counting(self, tx: Session, place: SignUp) -> None:
        """And is decided for good."""
        made = appeal(tx, place)
        decide(tx, made, is_excused=False)
        assert percent(tx, place.volunteer_id) == 66
        with pytest.raises(AppealDecided):
            decide(tx, made)

    def test_only_about_ones_own_place_and_once(self, tx: Session, place: SignUp) -> None:
        """And about what counts."""
        with pytest.raises(NotFound):
            appeal(tx, place, volunteer_id=make_volunteer(tx).id)
        appeal(tx, place)
        with pytest.raises(AppealMade):
            appeal(tx, place)
        for state in ("missed", "attended"):
            with pytest.raises(NotAppealable):
                appeal(tx, make_sign_up(tx, make_shift(tx), state=state, ended_at=NOON))

    def test_on_an_old_reading_nothing_is_decided(self, tx: Session, place: SignUp) -> None:
        """Nor in another programme."""
        made = appeal(tx, place)
        with pytest.raises(ChangedSince):
            decide(tx, made, seen=Seen(("x",)))
        with pytest.raises(NotFound):
            actions.decide(
                tx, Decision(uuid4(), made.id, is_excused=True, because="x", seen=ANYTHING, by=REVIEWER, at=NOON)
            )
        assert made.is_excused is None

    def test_texts_go_with_the_person(self, tx: Session, place: SignUp) -> None:
        """That there was an appeal stays."""
        made = decide(tx, appeal(tx, place))
        request = personal_data.Request(PROGRAMME, place.volunteer_id, REVIEWER, "asked", at(23))
        assert [row.id for row in personal_data.export(tx, request).appeals] == [made.id]

        personal_data.erase(tx, request)

        tx.refresh(made)
        assert (made.note, made.because, made.is_excused) == (None, None, True)

    def test_it_goes_over_with_the_place_when_records_are_merged(self, tx: Session, place: SignUp) -> None:
        """Whose it is, the sign-up says."""
        appeal(tx, place)
        merge = make_merge(tx, merged_id=place.volunteer_id)
        merges.approve(tx, merges.Decision(PROGRAMME, merge.id, ANYTHING, uuid4(), at(20)))
        assert len(queries.list_appeals_of(tx, volunteer_id=merge.kept_id, limit=9)) == 1
        assert percent(tx, merge.kept_id) == 66
