"""House rules that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import CODE, ROOT, Function, functions, is_migration, modules, nodes, place, tree_of

ROOMS = {"__init__", "api", "handlers", "jobs", "schemas", "actions", "queries", "tables", "rules"}
OURS = {"launch", "services", "shared", "tests"}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
# Over the limit and known; each is to be split, none is to be added.
LONG_MODULES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()


def calls(*folders: str) -> Iterator[tuple[Path, ast.Call, str]]:
    """Return each call with the dotted name of what is called, as far as it has one."""
    for module, node in nodes(*folders):
        if isinstance(node, ast.Call):
            yield module, node, ast.unparse(node.func)


def imported(module: Path) -> Iterator[tuple[ast.AST, str]]:
    """Return what a module imports, as full names."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def test_only_doors_commit() -> None:
    """An action that commits splits its caller's transaction; `transaction` does it, where it was opened."""
    found = [place(module, node) for module, node, name in calls("services") if name.endswith((".commit", ".rollback"))]

    assert found == []


def test_services_speak_no_http_when_they_refuse() -> None:
    """A refusal is named for what happened; what HTTP makes of it is the kit's business."""
    assert [place(module, node) for module, node, name in calls("services") if name.endswith("HTTPException")] == []


def test_the_time_is_read_in_one_place() -> None:
    """Elsewhere it is an argument: the demo travels, and tests do not wait."""
    readers = (
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.localtime",
        "time.gmtime",
    )
    found = {str(module) for module, _, name in calls(*CODE) if name.endswith(readers)}

    assert found == {"shared/clock.py"}


def test_the_environment_is_read_in_one_place() -> None:
    """What can be set is in `Settings`, with a description."""
    found = {
        str(module)
        for module, node in nodes(*CODE)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}
    }

    assert found == set()


def test_nothing_sleeps() -> None:
    """Waiting has a condition and a deadline (`tests/waiting.py`, `Event.wait`)."""
    found = [
        place(m, node) for m, node, name in calls(*CODE, "tests") if name in {"time.sleep", "sleep", "asyncio.sleep"}
    ]

    assert found == []


def test_tests_replace_nothing_of_ours() -> None:
    """A mock of our own code tests the mock."""
    names = [place(m, node) for m in modules("tests") for node, name in imported(m) if name.startswith("unittest.mock")]
    dotted = [
        place(module, node)
        for module, node, name in calls("tests")
        if name.endswith((".setattr", ".patch"))
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and str(node.args[0].value).split(".")[0] in OURS
    ]

    assert names + dotted == []


def test_nothing_is_skipped() -> None:
    """What is missing fails, or is installed; a skipped test promises nothing."""
    marks = ("pytest.skip", "pytest.importorskip", "pytest.xfail", "pytest.mark.skip", "pytest.mark.xfail")
    found = [
        place(module, node)
        for module, node in nodes("tests")
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(marks)
    ]

    assert found == []


def test_each_test_says_its_promise() -> None:
    """A failing test then says what is broken for whom."""
    found = [
        place(module, function)
        for module in modules("tests")
        for function in functions(module)
        if function.name.startswith("test_") and module.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert found == []


def public(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Return the functions and classes of a module, and the methods of the latter, that others may use."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_what_others_may_use_is_described() -> None:
    """A docstring completes "this function will…"."""
    found = [
        place(module, node)
        for module in modules(*CODE)
        for node in public(tree_of(module).body)
        if not ast.get_docstring(node) and not _is_overload(node)
    ]

    assert found == []


def _is_overload(node: Function | ast.ClassDef) -> bool:
    return any(ast.unparse(decorator).endswith("overload") for decorator in node.decorator_list)


def test_each_module_says_what_it_is() -> None:
    """But packages: their README says what they hold."""
    found = [
        str(module)
        for module in modules(*CODE)
        if module.name != "__init__.py" and not ast.get_docstring(tree_of(module))
    ]

    assert found == []


def test_an_aggregate_has_the_eight_rooms_and_no_other() -> None:
    """Whoever knows one aggregate knows all of them."""
    found = {
        str(module)
        for module in modules("services")
        if not is_migration(module) and (len(module.parts) > 4 or (len(module.parts) == 4 and module.stem not in ROOMS))
    }

    assert found == set()


def test_a_service_has_one_table_of_contents() -> None:
    """`main.py`, and nothing else beside the aggregates."""
    assert {module.name for module in modules("services") if len(module.parts) == 3} == {"__init__.py", "main.py"}


def test_migrations_stand_on_their_own() -> None:
    """A migration must do in ten years what it does today, whatever becomes of our code."""
    migrations = [module for module in modules(*CODE) if is_migration(module) and module.name != "env.py"]
    found = [
        place(module, node)
        for module in migrations
        for node, name in imported(module)
        if name.split(".")[0] in OURS or name.startswith("None.")
    ]

    assert len(migrations) > 5
    assert found == []


def test_migrations_can_be_taken_back() -> None:
    """Each says how, or why not."""
    for module in modules(*CODE):
        if is_migration(module) and module.name != "env.py":
            names = {node.name for node in functions(module)}
            assert {"upgrade", "downgrade"} <= names, module


def test_modules_are_short() -> None:
    """A longer one has two nouns."""
    lengths = {str(m): len((ROOT / m).read_text("utf-8").splitlines()) for m in modules(*CODE)}

    assert {module for module, lines in lengths.items() if lines > LONGEST_MODULE} <= LONG_MODULES


def test_functions_are_short() -> None:
    """They fit on a screen; only the statement that makes a table is as long as the table (a migration's)."""
    lengths = {
        f"{module} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for module in modules(*CODE)
        if not is_migration(module)
        for function in functions(module)
    }

    assert {name for name, lines in lengths.items() if lines > LONGEST_FUNCTION} <= LONG_FUNCTIONS


def test_refusals_are_named_once() -> None:
    """A code means one thing, whichever service says it, and comes with both titles."""
    codes: dict[str, list[str]] = {}
    for module, node in nodes("services", "shared"):
        if isinstance(node, ast.ClassDef):
            assigned = {
                target.id: s.value
                for s in node.body
                if isinstance(s, ast.Assign)
                for target in s.targets
                if isinstance(target, ast.Name)
            }
            if "code" in assigned and "title" in assigned:
                codes.setdefault(str(ast.literal_eval(assigned["code"])), []).append(place(module, node))
                assert {word.arg for word in getattr(assigned["title"], "keywords", [])} == {"zh", "en"}, place(
                    module, node
                )

    assert {code: places for code, places in codes.items() if len(places) > 1} == {}
    assert len(codes) > 10
