"""What a figure must satisfy whatever its data: labelled, legible, without effect on others."""

import itertools
from collections.abc import Callable, Iterator

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from movierec.figures.style import DPI, house_style

TOUCH_PX = 1.0


def shown_tick_labels(axis: Axis) -> Iterator[Text]:
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    for tick in axis.get_major_ticks():
        if low - slack <= tick.get_loc() <= high + slack and tick.label1.get_visible():
            yield tick.label1


def texts_of(axes: Axes) -> Iterator[Text]:
    yield from axes.texts
    if axes.axison:
        yield from (axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label)  # type: ignore[attr-defined]
        yield from itertools.chain(shown_tick_labels(axes.xaxis), shown_tick_labels(axes.yaxis))


def shown_texts(figure: Figure) -> list[Text]:
    figure.draw_without_rendering()
    own = [figure._suptitle, figure._supxlabel, figure._supylabel, *figure.texts]  # type: ignore[attr-defined]
    everything = itertools.chain([text for text in own if text], *(texts_of(axes) for axes in figure.axes))
    return list({id(text): text for text in everything if text.get_visible() and text.get_text().strip()}.values())


def check_labels(figure: Figure) -> None:
    assert figure.get_suptitle()
    for axes in figure.axes:
        assert figure.get_supxlabel() or axes.get_xlabel(), "no label on x"
        labels = figure.get_supylabel() or axes.get_ylabel()
        assert labels or any(axes.yaxis.get_majorticklabels()), "neither label nor names on y"


def check_legible(figure: Figure) -> None:
    with house_style():
        texts = [text for text in shown_texts(figure) if text.get_rotation() in {0.0, 90.0}]
        boxes = [(text.get_text(), Text.get_window_extent(text)) for text in texts]
    for text, box in boxes:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
        assert inside, f"{text!r} leaves the picture"
    for (one, box), (other, second) in itertools.combinations(boxes, 2):
        width = min(box.x1, second.x1) - max(box.x0, second.x0)
        height = min(box.y1, second.y1) - max(box.y0, second.y0)
        assert width <= TOUCH_PX or height <= TOUCH_PX, f"{one!r} overlaps {other!r}"


@pytest.fixture
def check_figure() -> Callable[[Callable[[], Figure]], Figure]:
    """Draw a figure and check what holds for all of them."""

    def check(draw: Callable[[], Figure]) -> Figure:
        settings = dict(mpl.rcParams)
        figure = draw()
        assert dict(mpl.rcParams) == settings, "settings leak"
        assert figure.dpi == DPI
        check_labels(figure)
        check_legible(figure)
        return figure

    return check
