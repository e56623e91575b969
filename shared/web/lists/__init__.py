"""Lists over HTTP: pages, filters and orders, and the whole list as CSV or XLSX. See docs/decisions/0026-lists.md."""

from shared.web.lists.asking import Asked
from shared.web.lists.cursors import BrokenCursor
from shared.web.lists.listed import Answer, Listed, Page, Table

__all__ = ["Answer", "Asked", "BrokenCursor", "Listed", "Page", "Table"]
