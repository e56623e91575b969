"""Charts as SVG and PNG without a browser (altair, vl-convert), in the typeface of the documents.

A chart takes up to 1.5 s and 100 MB: make them in a command or a task, never in a request. Nothing is fetched: data is
in the chart, and addresses are forbidden. Equal data gives equal bytes: nothing in a chart is numbered by the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from shared.documents import glyphs

if TYPE_CHECKING:
    import altair as alt

MOST_POINTS: Final = 400
_WIDTH: Final = 560
_BLUE, _GREY, _RED, _INK = "#2b6cb0", "#8795a6", "#c05621", "#1f2933"
_HOURS: Final = "datum.{} / 60"  # Minutes become hours where they are drawn, not before.


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity over the same points as its neighbours; `is_time` if its values are minutes, drawn as hours."""

    title: str
    values: Sequence[int]
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall: a stage that stands from 0, or a drop (negative minutes) from the one before."""

    title: str
    minutes: int
    label: str
    is_drop: bool = False


def columns(points: Sequence[str], panels: Sequence[Panel]) -> str:
    """Draw panels of columns, one below the other, over named points; return SVG."""
    import altair as alt  # noqa: PLC0415  Only who draws loads it.

    return _svg(alt.vconcat(*(_panel(points[:MOST_POINTS], panel) for panel in panels), spacing=18))


def _panel(points: Sequence[str], panel: Panel) -> "alt.Chart":
    import altair as alt  # noqa: PLC0415  As above.

    rows = [
        {"point": glyphs.showable(point), "place": place, "value": value}
        for place, (point, value) in enumerate(zip(points, panel.values, strict=False))
    ]
    shown = _HOURS.format("value") if panel.is_time else "datum.value"
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows), height=130, width=_WIDTH)
        .transform_calculate(shown=shown)
        .mark_bar(color=_BLUE)
        .encode(
            x=alt.X(
                "point:N",
                title=None,
                sort=alt.EncodingSortField("place"),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("shown:Q", title=glyphs.showable(panel.title), axis=alt.Axis(tickCount=4, format=",d")),
        )
    )
    return chart


def waterfall(steps: Sequence[Step]) -> str:
    """Draw how stages and drops lead from the first bar to the last; return SVG."""
    import altair as alt  # noqa: PLC0415  As above.

    edges = {f"{edge}_h": _HOURS.format(edge) for edge in ("begin", "end", "edge")}
    chart = alt.Chart(alt.InlineData(values=_bars(steps)), height=34 * len(steps), width=_WIDTH - 150)
    base = chart.transform_calculate(**edges)
    title = alt.Y("title:N", title=None, sort=alt.EncodingSortField("place"), axis=alt.Axis(labelLimit=200))
    bars = base.mark_bar(height=20).encode(
        y=title,
        x=alt.X("begin_h:Q", title=None, axis=alt.Axis(tickCount=5, format=",d")),
        x2="end_h:Q",
        color=alt.Color("colour:N", scale=None),
    )
    labels = base.mark_text(align="left", dx=5, color=_INK).encode(y=title, x="edge_h:Q", text="label:N")
    return _svg(bars + labels)


def _bars(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Work out where each bar begins and ends; a drop hangs on the end of the bar before it."""
    bars: list[dict[str, Any]] = []
    stands = 0
    for place, step in enumerate(steps):
        begin, end = (stands + step.minutes, stands) if step.is_drop else (0, step.minutes)
        stands = begin if step.is_drop else end
        words = {"title": glyphs.showable(step.title), "label": glyphs.showable(step.label)}
        colour = _RED if step.is_drop else (_GREY if place < len(steps) - 1 else _BLUE)
        bars.append(words | {"place": place, "begin": begin, "end": end, "edge": max(begin, end), "colour": colour})
    return bars


def png_of(svg: str) -> bytes:
    """Draw a chart's SVG as PNG, two pixels for each of its own."""
    return bytes(_converter().svg_to_png(svg, scale=2))


def _svg(chart: Any) -> str:  # noqa: ANN401  Any kind of altair's charts.
    import altair as alt  # noqa: PLC0415  As above.

    axis = alt.AxisConfig(domainColor=_GREY, tickColor=_GREY, gridColor="#e4e8ed", labelColor=_INK, titleColor=_INK)
    styled = chart.configure(font=glyphs.FAMILY, axis=axis, view=alt.ViewConfig(stroke=None))
    version = alt.SCHEMA_VERSION.rpartition(".")[0].removeprefix("v")
    return str(_converter().vegalite_to_svg(styled.to_dict(), vl_version=version, allowed_base_urls=[]))


@lru_cache(maxsize=1)
def _converter() -> Any:  # noqa: ANN401  A module.
    import vl_convert  # noqa: PLC0415  As above.

    vl_convert.register_font_directory(str(glyphs.folder()))
    return vl_convert
