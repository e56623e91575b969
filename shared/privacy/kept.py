"""What is kept for how long, and why: the one table that `docs/retention.md` is made from (`retention` has the terms).

What has neither a term nor a fixed time is kept for good.
"""

from shared.errors import Title
from shared.privacy.terms import Kept, Term

TABLE = (
    Kept(
        "dead_letters",
        None,
        Title(
            zh="已处理（重放或丢弃）的死信及其重放记录",
            en="Closed dead letters (replayed or discarded), and the replays that tried them",
        ),
        Title(zh="事后追查故障", en="To look into a fault afterwards; open ones stay until somebody closes them"),
        Term(90, 30, 1_095),
    ),
    Kept(
        "task_runs",
        None,
        Title(zh="已完成的任务运行记录", en="Runs of tasks that are done"),
        Title(
            zh="查看最近的运行情况", en="To see what ran lately; a run with a key stays, for it makes the key unique"
        ),
        Term(30, 7, 365),
    ),
    Kept(
        "failed_task_runs",
        None,
        Title(zh="失败的任务运行记录", en="Runs of tasks that failed"),
        Title(zh="事后追查故障", en="To look into a fault afterwards; one with an open dead letter or a key stays"),
        Term(90, 30, 1_095),
    ),
    Kept(
        "event_archive",
        None,
        Title(zh="已发布事件存档（仅含编号和数值，按月）", en="Archive of events told, by month; ids and values only"),
        Title(zh="新的或重建的读者由此开始", en="New readers, and ones that are rebuilt, start from it"),
        Term(3_653, 400, 36_525),
    ),
    Kept(
        "imports",
        None,
        Title(
            zh="导入的表格：暂存行、错误、退回文件和文件名",
            en="Sheets sent in: staged rows, errors, reject files, names",
        ),
        Title(
            zh="提交前查看、退回修改；记录本身才是依据",
            en="To look at before the commit and to mend; the records that came of them are the truth",
        ),
        Term(30, 1, 90),
    ),
    Kept(
        "inbox",
        None,
        Title(
            zh="已接收事件的标记和正文（仅含编号和数值）", en="Marks and bodies of events heard; ids and values only"
        ),
        Title(
            zh="每个事件只生效一次；账目由此重建", en="An event has its effect once; the books are rebuilt from them"
        ),
    ),
    Kept(
        "kept_answers",
        None,
        Title(
            zh="带 Idempotency-Key 的请求的答复（可能含姓名），固定保存 48 小时",
            en="Answers to calls with an Idempotency-Key, names among them: 48 hours, which no setting changes",
        ),
        Title(
            zh="重发的请求得到同样的答复；本人被删除时，提及本人的答复即删除",
            en="A call sent again is answered alike; those that name a person go with the person's erasure",
        ),
        fixed=Title(zh="48 小时", en="48 hours"),
    ),
    Kept(
        "audit",
        None,
        Title(
            zh="审计记录：谁在何时做了什么、改了什么；个人信息不显示，原因为自由文本",
            en="The trail: who did what when, from what to what; personal values are not shown, reasons are free text",
        ),
        Title(
            zh="事后可查明每一项变更；只增不改",
            en="Every change can be accounted for; entries are only added, and outlast an erasure",
        ),
    ),
    Kept(
        "code_attempts",
        "activities",
        Title(zh="输错签到码的次数", en="Counts of wrong check-in codes"),
        Title(zh="防止猜码：十分钟后失效", en="Against guessing: they count for ten minutes"),
        Term(1, 1, 30),
    ),
    Kept(
        "scans",
        "activities",
        Title(zh="扫码记录（时刻、码的序号）", en="Scans: the instant, and which code it was"),
        Title(
            zh="证据等级“扫码”的依据，用于补签和申诉",
            en="What proves the evidence class `scanned`, for claims and appeals",
        ),
        Term(400, 90, 1_095),
    ),
    Kept(
        "scan_devices",
        "activities",
        Title(
            zh="扫码设备的摘要（按场次加密，不同场次之间无法关联）",
            en="Digests of the devices that scanned, keyed by the shift: those of two shifts cannot be joined",
        ),
        Title(
            zh="发现同一设备为多人扫码；不作他用，本人被删除时也即删除",
            en="To notice a device that scans for several people, nothing else; they go with an erasure as well",
        ),
        fixed=Title(
            zh="至场次结算（结束一小时后），最迟随扫码记录",
            en="Until the shift is closed, an hour after its end; at the latest with the scan",
        ),
    ),
    Kept(
        "suppressed_numbers",
        "activities",
        Title(zh="已删除者员工编号的密钥摘要", en="Keyed digests of erased people's employee numbers"),
        Title(zh="避免人事名单再次导入已删除的人", en="So that no list brings an erased person back"),
        Term(1_095, 365, 3_653),
    ),
    Kept(
        "volunteers",
        "activities",
        Title(zh="志愿者的显示名和员工编号", en="Volunteers' display names and employee numbers"),
        Title(
            zh="志愿服务记录须真实完整；本人要求即删除",
            en="Records of service are of somebody; erased when the person asks",
        ),
    ),
    Kept(
        "profiles",
        "activities",
        Title(zh="志愿者的部门、城市、语言和技能", en="Volunteers' departments, cities, languages and skills"),
        Title(zh="为本人推荐合适的活动；本人要求即删除", en="To find fitting work; erased when the person asks"),
    ),
    Kept(
        "eligibility",
        "activities",
        Title(zh="在职区间及其依据", en="Dates of employment, and what they rest on"),
        Title(
            zh="决定哪些服务可配捐；删除个人后仅余编号",
            en="They decide which service is matched; by id alone once a person is erased",
        ),
    ),
    Kept(
        "reliability_appeals",
        "activities",
        Title(zh="可靠度申诉及其结论", en="Appeals against what counts of somebody, and what came of them"),
        Title(
            zh="已谅解的记录不再计入；本人删除后不留文字", en="Who is excused is not counted; texts go with an erasure"
        ),
    ),
    Kept(
        "merges",
        "activities",
        Title(zh="同一人两条记录的合并及其理由", en="Merges of two records of one person, and why"),
        Title(zh="说明时长和配捐为何归于一条记录", en="They explain why minutes and donations are one record's"),
    ),
    Kept(
        "consents",
        "activities",
        Title(zh="同意与撤回的历史", en="Consents and withdrawals"),
        Title(zh="证明处理有依据", en="They prove that what was done was allowed"),
    ),
    Kept(
        "personal_data_access",
        "activities",
        Title(zh="个人信息导出和删除的记录", en="Who took out or erased a person's data"),
        Title(zh="证明权利请求已办理", en="They prove that requests were met, and by whom"),
    ),
    Kept(
        "attendance",
        "activities",
        Title(zh="报名、考勤及其各版本", en="Sign-ups, attendances and their versions"),
        Title(
            zh="志愿服务记录和配捐的依据，并为本人推荐活动；删除个人后仅余编号",
            en="What donations rest on, and recommendations to oneself; by id alone once a person is erased",
        ),
    ),
    Kept(
        "proposals",
        "activities",
        Title(zh="活动方案及其各版本、审核决定和评论", en="Proposals, their versions, decisions and comments"),
        Title(
            zh="说明活动为何获批；撰写人仅以编号记录",
            en="They say why an activity was allowed; who wrote is known by id alone",
        ),
    ),
    Kept(
        "claims",
        "activities",
        Title(zh="补签申请、现场到场登记、答复和审核决定", en="Claims and walk-ins, answers and decisions"),
        Title(
            zh="服务时长和配捐的依据；删除个人后仅余编号，所写内容清空",
            en="What settled minutes rest on; by id alone, without the words, once a person is erased",
        ),
    ),
    Kept(
        "deliverables",
        "activities",
        Title(zh="交付物、提交的文件和说明、验收意见", en="Work that was handed in: files, notes, and what was said"),
        Title(
            zh="配捐时长的依据，旧版本可查；删除个人后仅余编号和件数，文件和文字清空",
            en="What agreed minutes rest on, earlier versions too; files and words go once a person is erased",
        ),
    ),
    Kept(
        "kits",
        "activities",
        Title(zh="物料包的发放、归还、遗失和费用申报", en="Kits, what became of them, and claims for their cost"),
        Title(
            zh="费用和限制的依据；删除个人后仅余编号和金额",
            en="What costs and restrictions rest on; ids and amounts alone once a person is erased",
        ),
    ),
    Kept(
        "kit_addresses",
        "activities",
        Title(zh="物料包的收件人、电话和地址", en="Recipient, telephone and postal address of a kit"),
        Title(
            zh="仅用于寄送；撤回同意或本人被删除时也即删除",
            en="To send it; they go as well when the consent is withdrawn or the person is erased",
        ),
        fixed=Title(zh="至签收、归还、遗失或取消", en="Until it arrives, comes back, is lost or cancelled"),
    ),
    Kept(
        "calendar_feeds",
        "activities",
        Title(
            zh="日历订阅：谁在何时申请、停用（地址仅存散列值）",
            en="Calendar feeds: who asked when; of an address its hash",
        ),
        Title(
            zh="日历程序凭地址读取场次；停用即删散列值，本人被删除时整条删除",
            en="Programs read shifts by them; the hash goes when one is revoked, all of it with the person's erasure",
        ),
    ),
    Kept(
        "incidents",
        "activities",
        Title(zh="待处理事件及处理记录", en="Incidents, and what was noted of them"),
        Title(
            zh="投诉、安全和舞弊线索的处理须可追溯；删除个人后仅余编号，其本人所写内容清空",
            en="How complaints and risks were dealt with; by id alone, without their words, once a person is erased",
        ),
    ),
    Kept(
        "feedback",
        "activities",
        Title(zh="活动反馈和评语及其各版本", en="Feedback and remarks after shifts, and their versions"),
        Title(
            zh="用于改进活动、处理投诉，并为本人推荐活动；删除个人后仅余评分，文字即删除",
            en="To do better, to look into complaints, to recommend work to oneself; of who is erased marks alone stay",
        ),
    ),
    Kept(
        "certificates",
        "activities",
        Title(zh="志愿服务记录证明", en="Certificates of service"),
        Title(
            zh="持有人可随时查验；删除个人后仅余编号、期间、时长和状态",
            en="Who has one can check it; once a person is erased only number, period, total and state stay",
        ),
    ),
    Kept(
        "books",
        "ledger",
        Title(zh="配捐、分录、政策版本", en="Donations, entries and policy versions"),
        Title(zh="会计资料；仅含编号", en="Accounts; ids only. No timer touches them, and the database refuses it"),
    ),
)
