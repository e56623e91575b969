"""What makes a volunteer's record."""

from dataclasses import dataclass

from shared.errors import Conflict, Title


class EmployeeNumberTaken(Conflict):
    """Another volunteer of the programme has this employee number."""

    code = "employee_number_taken"
    title = Title(zh="该员工编号已登记", en="This employee number is already registered")


@dataclass(frozen=True, slots=True)
class Registration:
    """Who is to be registered."""

    employee_number: str
    display_name: str
