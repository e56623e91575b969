import re
from xml.etree import ElementTree as ET

import pytest

from shared.documents import charts
from shared.documents.papers import Picture
from shared.documents.typesetting import typeset
from tests.shared.documents.papers import make_paper
from tests.shared.documents.test_typesetting import fonts_of, text_of

POINTS = ("2022-03", "2022-04", "2022-05")


def make_columns(name: str = "参与人次") -> str:
    panels = [charts.Panel(name, [10, 30, 20]), charts.Panel("服务小时", [600, 1_200, 900], is_time=True)]
    return charts.columns(POINTS, panels)


def make_waterfall(name: str = "记录时长") -> str:
    return charts.waterfall(
        [
            charts.Step(name, 6_000, "100 小时"),
            charts.Step("不足最低时长", -600, "-10 小时", is_drop=True),
            charts.Step("公益时", 5_400, "90 小时"),
        ]
    )


def words_of(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314  We drew it.
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_columns_are_named_in_chinese_and_counted_in_hours() -> None:
    """Minutes become hours on the axis only; the typeface is the documents' own."""
    svg = make_columns()
    words = words_of(svg)

    assert {"参与人次", "服务小时", *POINTS} <= set(words)
    assert "20" in words
    assert "1,200" not in words
    assert set(re.findall(r'font-family="([^"]*)"', svg)) == {"Noto Sans SC"}


def test_a_drop_hangs_between_the_stages() -> None:
    """From the stage before it down to what is left, with its words beside it."""
    svg = make_waterfall()
    bars = [
        re.fullmatch(r"M([\d.]+),[\d.]+h([\d.]+)v.*", path)
        for path in re.findall(r'role="graphics-symbol" aria-roledescription="bar" d="([^"]*)"', svg)
    ]
    ends = [(float(bar[1]), float(bar[1]) + float(bar[2])) for bar in bars if bar]

    (first, drop, last) = ends
    assert first[0] == last[0] == 0
    assert drop == pytest.approx((last[1], first[1]))
    assert {"记录时长", "不足最低时长", "公益时", "-10 小时"} <= set(words_of(svg))


@pytest.mark.parametrize("hostile", ["</text><script>x</script>", "datum.value", "a'b\"c\\", "𠮷😀\x00", "\u202eabc"])
def test_text_in_a_chart_is_text(hostile: str) -> None:
    """Neither markup nor an expression; what has no glyph is told by its code, and the PDF is made all the same."""
    for svg in (make_columns(hostile), make_waterfall(hostile)):
        assert "<script" not in svg
        ET.fromstring(svg)  # noqa: S314  We drew it.
        assert typeset(make_paper(sections=[Picture("图", svg, hostile)])).startswith(b"%PDF-")


def test_a_chart_in_a_pdf_can_be_searched() -> None:
    """It is drawn with text in the embedded typeface, not with pixels."""
    pdf = typeset(make_paper(sections=[Picture("图", make_waterfall(), "记录 100 小时")]))

    assert "不足最低时长" in text_of(pdf)
    assert all("NotoSansSC" in font["/FontName"] for font in fonts_of(pdf))


def test_equal_data_gives_equal_bytes() -> None:
    """However many charts the process drew before; as SVG and as PNG."""
    first, png = make_columns(), charts.png_of(make_columns())
    make_waterfall()

    assert make_columns() == first
    assert charts.png_of(make_columns()) == png
    assert png.startswith(b"\x89PNG")


def test_nothing_to_draw_is_no_accident() -> None:
    """A season without service, or with too many points, is drawn as far as it goes."""
    charts.columns([], [charts.Panel("x", [])])
    svg = charts.columns([f"p{number}" for number in range(500)], [charts.Panel("x", list(range(500)))])

    assert svg.count('aria-roledescription="bar"') == charts.MOST_POINTS
