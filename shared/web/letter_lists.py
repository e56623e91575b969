"""The lists of what operators see of dead letters: how they are sorted and filtered, and what their files show."""

from collections.abc import Mapping
from typing import Any

from shared.bus import tables
from shared.bus.burial import Origin, Reason
from shared.bus.dead_letters.post_mortem import State, Wanted
from shared.bus.tables import DeadLetter
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import Title
from shared.web.letters import CauseGroup, Dead, Replay
from shared.web.lists import Listed, Table

LETTERS = KeysetList(
    key=(DeadLetter.id,),
    sorts={"died_at": Sort(DeadLetter.died_at)},
    filters={
        "cause": equal(DeadLetter.cause, "Died of this, as the causes name it."),
        "handler": equal(DeadLetter.handler, "Of this handler, as `ledger.accrue_donations`."),
        "type": equal(DeadLetter.type, "Events of this type."),
        "reason": equal(DeadLetter.reason, "For this reason.", takes=Reason),
        "origin": equal(DeadLetter.origin, "Died here.", takes=Origin),
        "state": equal(
            DeadLetter.state, "In this state; `any` for all.", takes=State, default=State.DEAD, any_of="any"
        ),
    },
    default_sort="-died_at",
)
REPLAYS = KeysetList(
    key=(tables.Replay.id,),
    sorts={"requested_at": Sort(tables.Replay.requested_at)},
    filters={
        "requested_by": equal(tables.Replay.requested_by, "Ordered by this person."),
        "requested_from": since(tables.Replay.requested_at, "Ordered at this instant or later."),
        "requested_until": until(tables.Replay.requested_at, "Ordered before this instant."),
    },
    default_sort="-id",
)


def wanted_by(filters: Mapping[str, Any]) -> Wanted:
    """Say to a query which letters are asked for; without a state, in any."""
    return Wanted(**{"state": None, **filters})


DEAD_LETTERS = Listed(
    LETTERS,
    Dead,
    file="dead-letters",
    title=Title(zh="死信", en="Dead letters"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "origin": Title(zh="来源", en="Origin"),
        "handler": Title(zh="处理程序", en="Handler"),
        "event_id": Title(zh="事件编号", en="Event id"),
        "type": Title(zh="事件类型", en="Event type"),
        "partition_key": Title(zh="分区键", en="Partition key"),
        "cause": Title(zh="死因", en="Cause"),
        "reason": Title(zh="原因代码", en="Reason"),
        "exception": Title(zh="异常", en="Exception"),
        "error": Title(zh="错误", en="Error"),
        "trace_id": Title(zh="跟踪编号", en="Trace id"),
        "attempts": Title(zh="尝试次数", en="Attempts"),
        "died_at": Title(zh="失败时间", en="Died at"),
        "state": Title(zh="状态", en="State"),
        "closed_at": Title(zh="关闭时间", en="Closed at"),
        "closed_by": Title(zh="关闭人编号", en="Closed by"),
        "closed_why": Title(zh="关闭理由", en="Closed why"),
    },
)


CAUSES = Table(
    CauseGroup,
    file="causes",
    title=Title(zh="死因", en="Causes"),
    filters=LETTERS.filters,
    columns={
        "cause": Title(zh="死因", en="Cause"),
        "letters": Title(zh="死信数", en="Letters"),
        "waiting": Title(zh="等待数", en="Waiting behind"),
        "first_died_at": Title(zh="首次失败时间", en="First died at"),
        "last_died_at": Title(zh="最近失败时间", en="Last died at"),
        "origin": Title(zh="来源", en="Origin"),
        "handler": Title(zh="处理程序", en="Handler"),
        "type": Title(zh="事件类型", en="Event type"),
        "reason": Title(zh="原因代码", en="Reason"),
        "exception": Title(zh="异常", en="Exception"),
        "place": Title(zh="代码位置", en="Place"),
        "error": Title(zh="错误", en="Error"),
        "newest_id": Title(zh="最新死信编号", en="Newest letter"),
    },
)


REPLAY_LIST = Listed(
    REPLAYS,
    Replay,
    file="replays",
    title=Title(zh="重放", en="Replays"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "requested_at": Title(zh="申请时间", en="Requested at"),
        "requested_by": Title(zh="申请人编号", en="Requested by"),
        "why": Title(zh="理由", en="Why"),
        "selection": Title(zh="范围", en="Selection"),
        "letters_per_second": Title(zh="每秒死信数", en="Letters a second"),
        "total": Title(zh="总数", en="Total"),
        "replayed": Title(zh="成功", en="Replayed"),
        "failed": Title(zh="失败", en="Failed"),
        "skipped": Title(zh="跳过", en="Skipped"),
        "left": Title(zh="剩余", en="Left"),
        "finished_at": Title(zh="完成时间", en="Finished at"),
    },
)
