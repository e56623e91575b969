"""What makes a volunteer's record, and what is left of one."""

from dataclasses import dataclass
from uuid import UUID

from shared.errors import Conflict, Invalid, Title

ERASED_NUMBER = "erased:"
ERASED_NAME = "已注销"


class EmployeeNumberTaken(Conflict):
    """Another volunteer of the programme has this employee number."""

    code = "employee_number_taken"
    title = Title(zh="该员工编号已登记", en="This employee number is already registered")


class ErasedEarlier(Conflict):
    """Somebody with this employee number asked to be erased; only that person's own wish brings them back."""

    code = "erased_earlier"
    title = Title(zh="该编号的本人已要求删除个人信息", en="The person with this number asked to be erased")


class ReservedNumber(Invalid):
    """An employee number looks like the pseudonym of somebody who was erased."""

    code = "reserved_number"
    title = Title(zh="该编号不可使用", en="This number cannot be used")


class RecordMerged(Conflict):
    """The record was merged into another one of the same person."""

    code = "record_merged"
    title = Title(zh="该记录已并入同一人的另一条记录", en="This record was merged into another of the same person")


@dataclass(frozen=True, slots=True)
class Registration:
    """Who is to be registered."""

    employee_number: str
    display_name: str


def pseudonym(salt: UUID) -> Registration:
    """Return what stands for somebody who was erased; `salt` is random, so that nothing leads back."""
    return Registration(f"{ERASED_NUMBER}{salt}", f"{ERASED_NAME} {salt.hex[:8]}")


def require_free(number: str) -> None:
    """Refuse a number that could be taken for a pseudonym. Raises ReservedNumber."""
    if number.startswith(ERASED_NUMBER):
        raise ReservedNumber(field="employee_number")


def require_not_merged(merged_into: UUID | None) -> None:
    """Refuse what a record cannot do any more that was merged into another. Raises RecordMerged."""
    if merged_into is not None:
        raise RecordMerged(merged_into=merged_into)


def require_comes_back(*, comes_back: bool) -> None:
    """Refuse to register again who asked to be erased, unless they wish it themselves. Raises ErasedEarlier."""
    if not comes_back:
        raise ErasedEarlier(field="employee_number")
