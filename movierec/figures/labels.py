"""Labels beside their points that hide neither each other nor the data."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

from movierec.figures.style import INK, MUTED

Floats = NDArray[np.float64]

_DISTANCES_PT: Final = (10.0, 18.0, 28.0, 40.0, 54.0, 70.0, 88.0, 108.0)
_DEGREES: Final = (0, 30, -30, 60, -60, 90, -90, 120, -120, 150, -150, 180, 15, -15, 45, -45, 75, -75)
_LEADER_FROM_PT: Final = 28.0
_CLEARANCE_PT: Final = 3.0
_MARKER_PT: Final = 6.0
_TRACE_STEP_PX: Final = 3.0
_COINCIDENT_PX: Final = 4.0


class Label(NamedTuple):
    """A text and the point that it names, in data coordinates."""

    x: float
    y: float
    text: str
    color: str = INK


class _Place(NamedTuple):
    box: Bbox  # of the text, in pixels
    shift_pt: tuple[float, float]  # from the point to the text's middle
    leader: Floats  # pixels along the line from the point to the text, shape (n, 2); empty if none is drawn


def place_labels(axes: Axes, labels: Sequence[Label], lines: Iterable[tuple[ArrayLike, ArrayLike]] = ()) -> None:
    """Write each label near its point, where it covers nothing, with a thin line to it if it is far.

    The layout of the figure is frozen: call it when everything else is drawn and the limits are set.

    Parameters
    ----------
    axes : Axes
        Linear or logarithmic.
    labels : sequence of Label
        Placed in this order, the nearest free place first. Labels of one colour whose points coincide are written
        below each other as one.
    lines : iterable of pairs of array_like
        The x and y of the curves that no label may cover; the points of the labels are kept free anyway.
    """
    figure = cast("Figure", axes.figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    labels = _join_coincident(axes, labels)
    points = _to_pixels(axes, [label.x for label in labels], [label.y for label in labels])
    taken = _pad(np.vstack([points, *(_trace(axes, x, y) for x, y in lines)]), figure)
    boxes: list[Bbox] = []
    for label, point in zip(labels, points, strict=True):
        place = _find_place(axes, label, point, boxes, taken)
        boxes.append(place.box)
        taken = np.vstack([taken, place.leader])
        _write(axes, label, place)


def _join_coincident(axes: Axes, labels: Sequence[Label]) -> list[Label]:
    joined: list[Label] = []
    for label in labels:
        point = _to_pixels(axes, [label.x], [label.y])
        for number, earlier in enumerate(joined):
            distance = float(np.hypot(*(_to_pixels(axes, [earlier.x], [earlier.y]) - point)[0]))
            if earlier.color == label.color and distance < _COINCIDENT_PX:
                joined[number] = earlier._replace(text=f"{earlier.text}\n{label.text}")
                break
        else:
            joined.append(label)
    return joined


def _write(axes: Axes, label: Label, place: _Place) -> None:
    line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 6}
    axes.annotate(
        label.text,
        (label.x, label.y),
        place.shift_pt,
        textcoords="offset points",
        color=label.color,
        ha="center",
        va="center",
        arrowprops=line if len(place.leader) else None,
    )


def _find_place(axes: Axes, label: Label, point: Floats, boxes: list[Bbox], taken: Floats) -> _Place:
    places = list(_propose_places(axes, label, point))
    costs = [_count_collisions(axes, place, boxes, taken) for place in places]
    return places[int(np.argmin(costs))]  # the first, hence the nearest, of the best


def _count_collisions(axes: Axes, place: _Place, boxes: list[Bbox], taken: Floats) -> float:
    outside = not (axes.bbox.contains(*place.box.min) and axes.bbox.contains(*place.box.max))
    crossed = sum(_count_inside(box, place.leader) > 0 for box in boxes)
    return 1e8 * outside + 1e5 * (place.box.count_overlaps(boxes) + crossed) + _count_inside(place.box, taken)


def _propose_places(axes: Axes, label: Label, point: Floats) -> Iterator[_Place]:
    figure = cast("Figure", axes.figure)
    scale = figure.dpi / 72
    half = _measure(figure, label.text) / 2
    corner = half + _CLEARANCE_PT * scale / 2
    for distance in _DISTANCES_PT:
        for direction in np.radians(_DEGREES):
            toward = np.round([np.cos(direction), np.sin(direction)], 6)
            shift = toward * distance * scale + np.sign(toward) * half
            box = Bbox([point + shift - corner, point + shift + corner])
            leader = point + np.linspace(0, 1, 40)[:, None] * shift
            leader = leader[~_is_inside(box, leader)] if distance >= _LEADER_FROM_PT else leader[:0]
            yield _Place(box, (shift[0] / scale, shift[1] / scale), leader)


def _measure(figure: Figure, text: str) -> Floats:
    probe = figure.text(0, 0, text)
    size = probe.get_window_extent().size
    probe.remove()
    return np.asarray(size, dtype=np.float64)


def _count_inside(box: Bbox, points: Floats) -> int:
    return int(np.count_nonzero(_is_inside(box, points)))


def _is_inside(box: Bbox, points: Floats) -> NDArray[np.bool_]:
    return np.asarray(((points > box.min) & (points < box.max)).all(axis=1))


def _to_pixels(axes: Axes, x: ArrayLike, y: ArrayLike) -> Floats:
    return np.asarray(axes.transData.transform(np.column_stack([x, y])))


def _pad(points: Floats, figure: Figure) -> Floats:
    ring = np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)]) * _MARKER_PT * figure.dpi / 72
    return np.asarray((points[:, None, :] + ring).reshape(-1, 2))


def _trace(axes: Axes, x: ArrayLike, y: ArrayLike) -> Floats:
    corners = _to_pixels(axes, x, y)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    steps = np.arange(0.0, along[-1] + _TRACE_STEP_PX, _TRACE_STEP_PX)
    return np.column_stack([np.interp(steps, along, corners[:, axis]) for axis in (0, 1)])
