"""Plots as inline SVG: drawn by Vega-Lite without a browser, coloured by the page, named for who cannot see them.

A plot is drawn as wide as a phone and grows with its card. Its colours are the keys of ``INKS``; the style sheet of the page
turns them into those of the palette in use, so that one drawing serves dark, light and paper. No meaning hangs on a colour
alone: what is compared differs in shape or in dashes as well.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import altair as alt
import vl_convert
from lxml import etree

from schemas.page import plain

#: What a drawing has (the light palette), and the CSS variable that stands for it. Blue and orange are told apart with any
#: of the common colour blindnesses (Okabe and Ito 2008).
INKS: Final = {
    "#2f7cc4": "--plot-one",
    "#b34700": "--plot-two",
    "#1b1d1f": "--front",
    "#5b6168": "--soft",
    "#d9dbd6": "--line",
}
ONE, TWO, FRONT, SOFT, LINE = INKS

#: Width of a plot within its axes, in pixels of the drawing; with labels beside it that fills a phone.
WIDTH: Final = 300
#: The same for bars, whose labels stand at the left.
BARS_WIDTH: Final = 110
#: Longer labels of bars are cut, in pixels of the drawing.
LABEL: Final = 110

#: Nor is more of them drawn at all; in code points.
LONGEST_LABEL: Final = 60

#: Dates written below a trend.
_TICKS: Final = 5

_LABELS: Final = alt.Axis(labelLimit=LABEL, ticks=False, domain=False)

_CONFIG: Final[dict[str, Any]] = {
    "background": None,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelPadding": 5,
    },
}

_SVG: Final = "{http://www.w3.org/2000/svg}"

#: Attributes that say nothing here, or speak to programs that read marks one by one.
_NEEDLESS: Final = (
    "class",
    "role",
    "pointer-events",
    "font-family",
    "aria-hidden",
    "aria-roledescription",
    "aria-label",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One drawing, and what it shows in words."""

    title: str
    #: What is to be seen, for who cannot see it.
    description: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: what it stands for, how long it is, what is written at its end, and how long such bars usually are."""

    label: str
    value: float
    text: str
    usual: float | None = None


def bars(title: str, description: str, items: Sequence[Bar]) -> Plot:
    """Draw bars from top to bottom in their order, each with a tick where it usually ends."""
    labels = list(_different(item.label for item in items))
    data = [
        {"label": label, "value": item.value, "text": item.text, "usual": item.usual}
        for label, item in zip(labels, items, strict=True)
    ]
    longest = max((max(item.value, item.usual or 0) for item in items), default=0) or 1
    y = alt.Y("label:N", sort=None, title=None, axis=_LABELS)
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, longest]))
    base = _chart(data).encode(y=y)
    layers = [
        base.mark_bar(color=ONE, height=12).encode(x=x),
        # Beside the longest, so that they stand in line and never lie over a tick.
        base.mark_text(align="left", x=BARS_WIDTH + 8, color=FRONT, fontSize=11).encode(text="text:N"),
    ]
    if any(item.usual is not None for item in items):
        usual = base.transform_filter("datum.usual !== null").mark_tick(color=FRONT, thickness=3, size=18, opacity=1)
        layers.append(usual.encode(x="usual:Q"))
    chart = alt.layer(*layers).properties(width=BARS_WIDTH, height=alt.Step(20))
    # The room of the texts at the right is part of the drawing.
    return _drawn(chart, title, description, least_width=LABEL + BARS_WIDTH + 95)


def trend(
    title: str,
    description: str,
    nights: Sequence[date],
    solid: Sequence[float | None],
    dashed: Sequence[float | None] | None = None,
) -> Plot:
    """Draw one or two counts over the nights; both start at 0."""
    data = [
        {"night": night.isoformat(), "value": value, "line": line}
        for line, values in (("solid", solid), ("dashed", dashed or ()))
        for night, value in zip(nights, values, strict=False)
    ]
    ticks = sorted({nights[round(place * (len(nights) - 1) / (_TICKS - 1))] for place in range(_TICKS)})
    x = alt.X(
        "night:T",
        title=None,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(values=[each.isoformat() for each in ticks], format="%-d %b", grid=False, labelOverlap="parity"),
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(zero=True),
        axis=alt.Axis(tickCount=4, tickMinStep=1, domain=False, ticks=False),
    )
    layers = []
    for line, colour, dash, shape in (("solid", ONE, [1, 0], "circle"), ("dashed", TWO, [4, 3], "square")):
        point = alt.OverlayMarkDef(color=colour, size=14, shape=shape, filled=True)
        chart = _chart([row for row in data if row["line"] == line])
        if dashed is not None or line == "solid":
            mark = chart.mark_line(color=colour, strokeWidth=2, strokeDash=dash, point=point)
            layers.append(mark.encode(x=x, y=y))
    return _drawn(alt.layer(*layers).properties(width=WIDTH, height=120), title, description)


def lengths(
    title: str,
    description: str,
    steps: Sequence[int],
    *,
    per_doubling: int,
    shares: Sequence[float],
    usual: Sequence[float],
) -> Plot:
    """Draw the shares of lengths (0 to 1) as bars over steps of log2, and what they usually are as a dashed line."""
    data = [
        {"from": step / per_doubling, "to": (step + 1) / per_doubling, "middle": (step + 0.5) / per_doubling}
        | {"share": share, "usual": before}
        for step, share, before in zip(steps, shares, usual, strict=True)
    ]
    x = _log2(data[0]["from"], data[-1]["to"], "from:Q")
    base = _chart(data)
    y = alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=4, domain=False, ticks=False))
    layers = [
        base.mark_rect(color=ONE)
        .encode(x=x, x2="to:Q", y=y)
        # A rectangle needs its foot said; a bar over a range would be drawn sideways.
        .encode(y2=alt.datum(0))
    ]
    if any(usual):
        point = alt.OverlayMarkDef(color=FRONT, size=12, shape="square", filled=True)
        layers.append(
            base.mark_line(color=FRONT, strokeWidth=2, strokeDash=[4, 3], point=point).encode(x="middle:Q", y="usual:Q")
        )
    return _drawn(alt.layer(*layers).properties(width=WIDTH, height=130), title, description)


def ranges(title: str, description: str, rows: Sequence[tuple[str, float, float, float]]) -> Plot:
    """Draw for each (label, low, middle, high) a line from low to high with a point at the middle, over a log scale."""
    labels = list(_different(row[0] for row in rows))
    data = [
        {
            "label": label,
            "low": math.log2(max(low, 1)),
            "middle": math.log2(max(middle, 1)),
            "high": math.log2(max(high, 1)),
        }
        for label, (_, low, middle, high) in zip(labels, rows, strict=True)
    ]
    y = alt.Y("label:N", sort=None, title=None, axis=_LABELS)
    base = _chart(data).encode(y=y)
    x = _log2(math.log2(max(min(row[1] for row in rows), 1)), math.log2(max(*(row[3] for row in rows), 1)), "low:Q")
    chart = alt.layer(
        base.mark_rule(color=ONE, strokeWidth=4).encode(x=x, x2="high:Q"),
        base.mark_point(color=FRONT, filled=True, shape="diamond", size=80, opacity=1).encode(x="middle:Q"),
    ).properties(width=WIDTH - 60, height=alt.Step(20))
    return _drawn(chart, title, description)


def _log2(low: float, high: float, column: str) -> alt.X:
    """Give an axis of lengths that are held as log2.

    Whole powers of two would be odd to read: 100, 300, 1,000 and so on characters are written.
    """
    marks = [n * 10**power for power in range(9) for n in (1, 3) if low <= math.log2(n * 10**power) <= high]
    names = "{" + ", ".join(f"'{math.log2(mark):.6f}': '{mark:,}'" for mark in marks) + "}"
    axis = alt.Axis(
        values=[math.log2(mark) for mark in marks],
        labelExpr=f"({names})[format(datum.value, '.6f')]",
        grid=False,
        labelOverlap="parity",
    )
    # One length alone is a domain without width, which no scale has.
    domain = [low, high] if high > low else [low - 0.5, high + 0.5]
    return alt.X(column, title="characters", scale=alt.Scale(domain=domain, nice=False, zero=False), axis=axis)


def sparkline(title: str, values: Sequence[float | None]) -> Plot:
    """Draw a small line that starts at 0, its last value marked; gaps where nothing is known."""
    data = [{"at": at, "value": value} for at, value in enumerate(values)]
    known = [value for value in values if value is not None]
    x = alt.X("at:Q", axis=None, scale=alt.Scale(domain=[0, max(len(values) - 1, 1)], nice=False))
    y = alt.Y("value:Q", axis=None, scale=alt.Scale(domain=[0, max([*known, 1])], nice=False))
    # A value between two gaps is no line; its point must show.
    point = alt.OverlayMarkDef(color=ONE, size=3, filled=True, opacity=1)
    line = _chart(data).mark_line(color=ONE, strokeWidth=1.5, point=point)
    last = _chart([row for row in data[-1:] if row["value"] is not None])
    chart = alt.layer(
        line.encode(x=x, y=y),
        last.mark_point(color=TWO, filled=True, shape="diamond", size=36, opacity=1).encode(x=x, y=y),
    ).properties(width=110, height=24, padding=4)
    known_words = f"lowest {min(known):,.0f}, highest {max(known):,.0f}" if known else "nothing known"
    now = values[-1] if values else None
    return _drawn(chart, title, f"{known_words}, last {'none' if now is None else f'{now:,.0f}'}")


def _drawn(chart: alt.LayerChart | alt.FacetChart, title: str, description: str, least_width: int = 0) -> Plot:
    # No data is anywhere but in the chart; a request is a fault.
    spec = chart.to_dict() | {"config": _CONFIG}
    drawing = etree.fromstring(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode())
    words = f"{plain(title)}. {plain(description)}"
    width, height = float(drawing.get("width", "0")), float(drawing.get("height", "0"))
    for element in drawing.iter():
        for name in _NEEDLESS:
            element.attrib.pop(name, None)
        if element.get("opacity") == "1":
            del element.attrib["opacity"]
    for path in list(drawing.iter(f"{_SVG}path")):
        # Frames of groups: nothing is drawn by them.
        if not path.get("fill") and not path.get("stroke"):
            parent = path.getparent()
            if parent is not None:
                parent.remove(path)
    for name in ("width", "height", "version"):
        drawing.attrib.pop(name, None)
    drawing.set("viewBox", f"0 0 {max(width, least_width):g} {height:g}")
    drawing.set("role", "img")
    drawing.set("aria-label", words)
    etree.cleanup_namespaces(drawing)
    # HTML knows SVG by its element; a name of a namespace would be the only address on the page.
    svg = etree.tostring(drawing, encoding="unicode").replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    return Plot(title=title, description=description, svg=svg)


def _chart(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(rows)))


def _different(labels: Iterator[str]) -> Iterator[str]:
    """Give labels that can be seen and that differ, as equal ones would share a row: the second of them ends with (2)."""
    seen: dict[str, int] = {}
    for text in labels:
        label = plain(text)[:LONGEST_LABEL]
        seen[label] = seen.get(label, 0) + 1
        yield label if seen[label] == 1 else f"{label} ({seen[label]})"
