"""Expected refusals: the vocabulary in which rules say no.

A refusal is named for what happened and carries a stable `code`, a title in both languages and the facts of the case.
HTTP knows only its kind; a task takes it as final; a handler's refusal becomes a dead letter.
"""

from typing import ClassVar, NamedTuple


class Title(NamedTuple):
    """What a person reads, in both languages of the programme."""

    zh: str
    en: str


class Hindrance(Exception):
    """Popcandy cannot run, or cannot do this, here and now; the message is one line for the person at the keyboard."""


QUOTES = frozenset({"found", "unknown"})  # Facts that repeat what was sent, which may name somebody.


class Refusal(Exception):
    """Somebody asked for what the rules do not allow."""

    code: ClassVar[str]
    title: ClassVar[Title]

    def __init__(self, **facts: object) -> None:
        """Keep the facts. The caller sees them all; what they quote of a file (`QUOTES`) nobody else does."""
        super().__init__(self.code, facts)
        self.facts = facts

    @property
    def told(self) -> dict[str, object]:
        """The facts without what they quote: for logs and dead letters."""
        return {name: value for name, value in self.facts.items() if name not in QUOTES}

    def __str__(self) -> str:
        """Read as one line for logs and dead letters."""
        facts = ", ".join(f"{name}={value}" for name, value in self.told.items())
        return f"{self.code}: {self.title.en}" + (f" ({facts})" if facts else "")


class NotFound(Refusal):
    """There is no such thing, or none that this caller may see."""

    code = "not_found"
    title = Title(zh="没有找到", en="Not found")


class NotAllowed(Refusal):
    """The caller may not do this."""

    code = "not_allowed"
    title = Title(zh="没有权限", en="Not allowed")


class Invalid(Refusal):
    """What was sent is not usable; `field` says where."""

    code = "invalid"
    title = Title(zh="填写内容有误", en="Invalid input")


class Conflict(Refusal):
    """The state of things does not allow it now."""

    code = "conflict"
    title = Title(zh="与当前状态冲突", en="In conflict with the current state")


class TooMany(Refusal):
    """The caller has to wait; `retry_after` is in whole seconds."""

    code = "too_many"
    title = Title(zh="操作过于频繁", en="Too many attempts")


class NotAcceptable(Refusal):
    """None of the forms in which there is an answer is taken; `offered` lists their media types."""

    code = "not_acceptable"
    title = Title(zh="无法以所请求的格式返回", en="Not available in that format")


class ReadFirst(Refusal):
    """Somebody decides about a thing and does not say on which reading of it."""

    code = "precondition_required"
    title = Title(zh="请先读取最新内容（缺少 If-Match）", en="Read it first, and send its ETag as If-Match")


class ChangedSince(Refusal):
    """The thing is not any more what the caller has read."""

    code = "precondition_failed"
    title = Title(zh="内容已被更新，请刷新后再试", en="It has changed since; read it again")
