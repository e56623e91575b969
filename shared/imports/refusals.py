"""Why an import is not committed."""

from shared.errors import Conflict, Title, TooMany


class ImportHasRejects(Conflict):
    """Some rows are wrong; they are left out only if the caller says so."""

    code = "import_has_rejects"
    title = Title(
        zh="部分行有误，请修改后重新导入，或确认跳过这些行", en="Some rows are wrong: mend them, or say to skip them"
    )


class ImportOutdated(Conflict):
    """What the rows were judged by has changed since: `rows` of them are not what the preview showed."""

    code = "import_outdated"
    title = Title(zh="数据已变化，请重新导入", en="The data has changed since; import the sheet again")


class ImportFailed(Conflict):
    """The import was committed and failed; nothing of it was brought in, and `reason` says why."""

    code = "import_failed"
    title = Title(zh="此次导入已失败，请重新上传", en="This import has failed: send the sheet in again")


class ImportExpired(Conflict):
    """The import was not committed in time; its rows are gone."""

    code = "import_expired"
    title = Title(zh="此次导入已过期，请重新上传", en="This import has expired: send the sheet in again")


class ImportsBusy(TooMany):
    """Other large sheets are being read; each takes a good deal of memory."""

    code = "imports_busy"
    title = Title(zh="正在处理其他大文件，请稍后再试", en="Other large files are being read: try again later")
