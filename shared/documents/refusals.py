"""Why a whole file is refused. The facts never hold its name: that may name a person."""

from shared.errors import Invalid, Title


class NotASheet(Invalid):
    """The content is not what the file's ending says; `expected` and `found` name both."""

    code = "not_a_sheet"
    title = Title(zh="文件不是可读取的 XLSX 或 CSV 表格", en="The file is not a readable XLSX or CSV sheet")


class BrokenQuotes(Invalid):
    """A quotation mark in a CSV is never closed, or closed in mid-cell; what follows `row` cannot be told apart."""

    code = "broken_quotes"
    title = Title(zh="CSV 中的引号不配对", en="Quotation marks in the CSV do not pair up")


class CellTooLong(Invalid):
    """A cell of a CSV is longer than `max_characters`; mostly a quotation mark above is never closed."""

    code = "cell_too_long"
    title = Title(zh="有单元格过长，或引号没有闭合", en="A cell is too long, or a quotation mark is never closed")


class EmptySheet(Invalid):
    """There is no heading (`missing` is "header") or nothing below it ("rows")."""

    code = "empty_sheet"
    title = Title(zh="表格中没有数据", en="The sheet holds no data")


class WrongHeaders(Invalid):
    """Headings are `missing`, `unknown` or `repeated`; `expected` lists the right ones."""

    code = "wrong_headers"
    title = Title(zh="表头与模板不一致", en="The headings are not those of the template")


class FileTooLarge(Invalid):
    """The upload goes on after `max_bytes`; the rest was not read."""

    code = "file_too_large"
    title = Title(zh="文件过大", en="The file is too large")


class UnpacksTooLarge(Invalid):
    """A workbook would unpack to more than `max_bytes` or `max_ratio` times its size, as a zip bomb does."""

    code = "unpacks_too_large"
    title = Title(zh="文件解压后过大", en="The file becomes too large when unpacked")


class TooManyRows(Invalid):
    """There is a value more than `max_rows` rows below the heading."""

    code = "too_many_rows"
    title = Title(zh="行数过多，请拆分后分次导入", en="Too many rows: import them in parts")


class TooManyColumns(Invalid):
    """There is a value to the right of column `max_columns`."""

    code = "too_many_columns"
    title = Title(zh="列数过多", en="Too many columns")


UNUSABLE = (
    NotASheet,
    BrokenQuotes,
    EmptySheet,
    WrongHeaders,
    FileTooLarge,
    UnpacksTooLarge,
    TooManyRows,
    TooManyColumns,
)  # What any door that takes a sheet may say of it.
