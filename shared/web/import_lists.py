"""The list of a service's imports: how it is sorted and filtered, and what its files show."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import Title
from shared.imports.queries import STATE, Standing
from shared.imports.tables import Import
from shared.web.import_shapes import ImportSummary, State
from shared.web.lists import Listed

_STANDINGS = KeysetList(
    key=(Import.id,),
    sorts={"staged_at": Sort(Import.staged_at)},
    filters={
        "kind": equal(Import.kind, "Of this kind, as `volunteers`."),
        "state": equal(STATE, "In this state.", takes=State),
        "staged_from": since(Import.staged_at, "Sent in at this instant or later."),
        "staged_until": until(Import.staged_at, "Sent in before this instant."),
    },
    default_sort="-id",
)
IMPORTS = Listed(
    _STANDINGS,
    ImportSummary,
    file="imports",
    title=Title(zh="导入记录", en="Imports"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "kind": Title(zh="类型", en="Kind"),
        "state": Title(zh="状态", en="State"),
        "file_name": Title(zh="文件名", en="File name"),
        "timezone": Title(zh="时区", en="Time zone"),
        "preview.create": Title(zh="预览：新增", en="Preview: create"),
        "preview.update": Title(zh="预览：更新", en="Preview: update"),
        "preview.skip": Title(zh="预览：跳过", en="Preview: skip"),
        "preview.rejected": Title(zh="预览：拒绝", en="Preview: rejected"),
        "staged_at": Title(zh="上传时间", en="Staged at"),
        "kept_until": Title(zh="保留至", en="Kept until"),
        "done": Title(zh="已处理行数", en="Done"),
        "total": Title(zh="总行数", en="Of"),
        "committed_at": Title(zh="导入时间", en="Committed at"),
        "created": Title(zh="已新增", en="Created"),
        "updated": Title(zh="已更新", en="Updated"),
        "skipped": Title(zh="已跳过", en="Skipped"),
        "failure_code": Title(zh="失败代码", en="Failure"),
    },
)


def summaries(_tx: Session, rows: Sequence[Any]) -> list[ImportSummary]:
    """Show rows of `standings_of`."""
    return [ImportSummary.of(Standing(row.Import, row.TaskRun, row.state)) for row in rows]
