"""Logs and traces: JSON facts under one trace, without anybody's numbers."""

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from shared import telemetry
from shared.ids import new_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Configure logging onto a buffer and return what reads it; everything is as before at the end."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    telemetry.configure_logging(level="info")
    yield lambda: [orjson.loads(line) for line in written.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers = before
    root.setLevel(level)


def test_a_line_is_one_json_object_with_facts(lines: Lines) -> None:
    """Whoever searches the logs searches by field."""
    telemetry.get_logger().info("delivery.sent", deliveries=3, channel="邮件")

    (line,) = lines()
    assert {"event": "delivery.sent", "level": "info", "deliveries": 3, "channel": "邮件"}.items() <= line.items()
    assert line["timestamp"].endswith("Z")


def test_libraries_write_the_same(lines: Lines) -> None:
    """One reader for all lines of a process."""
    logging.getLogger("library").warning("slow %s", "query")

    (line,) = lines()
    assert (line["event"], line["level"]) == ("slow query", "warning")


def test_what_is_below_the_level_is_not_written(lines: Lines) -> None:
    """Debugging is switched on, not off."""
    telemetry.get_logger().debug("detail")
    logging.getLogger("library").debug("detail")

    assert lines() == []


def test_a_fault_stays_one_line_with_its_traceback(lines: Lines) -> None:
    """A log collector splits by line."""
    telemetry.get_logger().error("failed", exc_info=RuntimeError("out of\nluck"))

    (line,) = lines()
    assert "RuntimeError: out of\nluck" in line["exception"]


def test_what_is_bound_at_the_door_is_on_each_line(lines: Lines) -> None:
    """Lines of our own and of libraries are joined by the trace and by whom it is about."""
    with telemetry.trace(PARENT), bound_contextvars(programme_id="p"):
        telemetry.get_logger().info("ours")
        logging.getLogger("library").info("theirs")
    telemetry.get_logger().info("later")

    ours, theirs, later = lines()
    assert ours["trace_id"] == theirs["trace_id"] == TRACE
    assert ours["programme_id"] == theirs["programme_id"] == "p"
    assert "trace_id" not in later


class TestMasking:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("13812345678", "138****5678"),
            ("+8613812345678", "+86138****5678"),
            ("手机13812345678，", "手机138****5678，"),
            ("{'phone': '13812345678'}", "{'phone': '138****5678'}"),
            ("11010519491231002X", "110105********002X"),
            ("身份证110105194912310021", "身份证110105********0021"),
            ("12812345678", "12812345678"),
            ("1381234567", "1381234567"),
            ("138123456789", "138123456789"),
        ],
    )
    def test_hides_the_middle_of_personal_numbers(self, text: str, masked: str) -> None:
        """A mobile or identity number in a log is a leak, however it got there."""
        assert telemetry.mask_personal_data(None, "info", {"event": text}) == {"event": masked}

    def test_hides_them_in_nested_values_too(self, lines: Lines) -> None:
        """Facts may be lists and objects."""
        telemetry.get_logger().info("refused", facts={"people": ["13812345678", {"id": ("11010519491231002X",)}]})

        assert lines()[0]["facts"] == {"people": ["138****5678", {"id": ["110105********002X"]}]}

    def test_hides_them_in_the_text_of_an_exception(self, lines: Lines) -> None:
        """A database's error quotes the values of its statement."""
        telemetry.get_logger().error("failed", exc_info=ValueError("[parameters: {'phone': '13812345678'}]"))

        assert "13812345678" not in str(lines())
        assert "138****5678" in lines()[0]["exception"]

    def test_hides_them_in_what_libraries_write(self, lines: Lines) -> None:
        """Libraries do not know what is personal."""
        logging.getLogger("library").warning("called %s", "13812345678")

        assert lines()[0]["event"] == "called 138****5678"

    def test_leaves_amounts_alone(self) -> None:
        """138 million yuan are 13,812,345,678 fen, and no telephone."""
        assert telemetry.mask_personal_data(None, "info", {"fen": 13_812_345_678}) == {"fen": 13_812_345_678}

    @given(st.uuids(), st.binary(min_size=16, max_size=16))
    def test_leaves_ids_and_traces_whole(self, identifier: UUID, trace: bytes) -> None:
        """Otherwise nothing could be found by them."""
        for text in (str(identifier), str(new_id()), f"00-{trace.hex()}-b7ad6b7169203331-01"):
            assert telemetry.mask_personal_data(None, "info", {"id": text}) == {"id": text}

    def test_leaves_a_trace_whole_that_holds_eleven_digits(self) -> None:
        """One trace in a thousand does."""
        text = f"a13812345678b{'c' * 19}"
        assert telemetry.mask_personal_data(None, "info", {"trace_id": text}) == {"trace_id": text}


class TestTrace:
    def test_goes_on_under_the_trace_that_arrives(self) -> None:
        """A request, its events and what follows from them are found by one id."""
        with telemetry.trace(PARENT) as trace_id:
            version, sent, span, flags = telemetry.traceparent().split("-")

        assert trace_id == sent == TRACE
        assert (version, flags) == ("00", "01")
        assert span != "b7ad6b7169203331"

    @pytest.mark.parametrize(
        "malformed",
        [
            None,
            "",
            "garbage",
            PARENT.upper(),
            PARENT[:-1],
            f"{PARENT}-more",
            f"{PARENT}\n",
            f"01-{TRACE}-b7ad6b7169203331-01",
            f"00-{'0' * 32}-b7ad6b7169203331-01",
            f"00-{TRACE}-{'0' * 16}-01",
        ],
    )
    def test_begins_anew_for_what_is_no_trace(self, malformed: str | None) -> None:
        """Nobody outside decides what stands in our logs (W3C Trace Context section 3.2)."""
        with telemetry.trace(malformed) as one, telemetry.trace(malformed) as other:
            pass

        assert len(one) == 32
        assert one != other
        assert TRACE not in (one, other)

    def test_ends_with_its_block(self) -> None:
        """What is done next belongs to another trace."""
        with telemetry.trace(PARENT):
            pass

        assert TRACE not in telemetry.traceparent()

    @pytest.mark.parametrize(
        ("name", "masked"),
        [
            ("display_name", True),
            ("fact_employee_number", True),
            ("old_email", True),
            ("employee_numbers", True),
            ("file_name", True),
            ("name", False),
            ("timer_name", False),
            ("names", False),
        ],
    )
    def test_hides_what_is_somebodys_by_its_name(self, lines: Lines, name: str, *, masked: bool) -> None:
        """No pattern knows a person's name; nested facts count too."""
        telemetry.get_logger().info("told", **{name: "王小明"}, facts=[{name: ["王小明"]}])

        assert ("王小明" not in str(lines()[0])) is masked

    def test_what_is_not_there_is_not_hidden(self, lines: Lines) -> None:
        """Whoever looks for a missing number sees that it is missing."""
        telemetry.get_logger().info("told", employee_number=None)

        assert lines()[0]["employee_number"] is None

    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("to li.lei+x@mail.example.org.", "to ***@mail.example.org."),
            ("user@localhost", "user@localhost"),
            (
                "Key (programme_id, employee_number)=(0a, E(1)) already exists.",
                "Key (programme_id, employee_number)=(***)",
            ),
            ("Failing row contains (1, E1, 王小明, null).", "Failing row contains (***)"),
        ],
    )
    def test_hides_addresses_and_rows_that_a_database_quotes(self, text: str, masked: str) -> None:
        """Whatever a driver's exception says."""
        assert telemetry.without_personal_data(f"{text}\nnext")[: len(masked)] == masked
        assert "王小明" not in telemetry.without_personal_data(text)
        assert "E(1)" not in telemetry.without_personal_data(text)
