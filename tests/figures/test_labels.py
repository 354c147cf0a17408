import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from movierec.figures.labels import Label, place_labels
from movierec.figures.style import MUTED, house_style, new_figure

NAMES = ("svd", "svd_tuned", "als", "bias", "popularity")
UNIT = st.floats(0, 1)


def unit_square(scale: str = "linear") -> Axes:
    figure, axes = new_figure()
    assert isinstance(axes, Axes)
    limits = (0.001 if scale == "log" else -0.1, 1.1)
    axes.set(xscale=scale, yscale=scale, xlim=limits, ylim=limits, xlabel="x", ylabel="y")
    figure.suptitle("title")
    return axes


def notes_of(axes: Axes) -> list[Annotation]:
    notes = [child for child in axes.get_children() if isinstance(child, Annotation)]
    for note in notes:
        note.update_positions(axes.figure.canvas.get_renderer())  # type: ignore[attr-defined]
    return notes


def boxes_of(axes: Axes) -> dict[str, Bbox]:
    return {note.get_text(): Text.get_window_extent(note) for note in notes_of(axes)}


def leader_of(note: Annotation) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return pixels along the line from the text to the point; none if there is no line."""
    if note.arrow_patch is None:
        return np.empty((0, 2))
    ends = note.arrow_patch.get_transform().transform(np.asarray(note.arrow_patch.get_path().vertices)[[0, -1]])
    return np.asarray(ends[0] + np.linspace(0, 1, 50)[:, None] * (ends[1] - ends[0]))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=5))
@house_style()
def test_labels_never_overlap_nor_leave_the_axes(points: list[tuple[float, float]]) -> None:
    axes = unit_square()
    place_labels(axes, [Label(x, y, name) for (x, y), name in zip(points, NAMES, strict=False)])
    boxes = boxes_of(axes)
    assert sorted("\n".join(boxes).split("\n")) == sorted(NAMES[: len(points)])
    assert all(axes.bbox.contains(*box.min) and axes.bbox.contains(*box.max) for box in boxes.values())
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes.values(), 2))


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(UNIT, UNIT), st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), min_size=5, max_size=5)
)
@house_style()
def test_no_line_to_a_point_crosses_another_label_in_a_cluster(
    center: tuple[float, float], shifts: list[tuple[float, float]]
) -> None:
    axes = unit_square()
    labels = [Label(center[0] + dx, center[1] + dy, name) for (dx, dy), name in zip(shifts, NAMES, strict=True)]
    place_labels(axes, labels)
    notes = notes_of(axes)
    for note, other in itertools.permutations(notes, 2):
        box = Text.get_window_extent(other)
        pixels = leader_of(note)
        assert not ((pixels > box.min) & (pixels < box.max)).all(axis=1).any(), f"{note} crosses {other}"


@pytest.mark.parametrize("scale", ["linear", "log"])
@house_style()
def test_label_lies_beside_its_own_point(scale: str) -> None:
    axes = unit_square(scale)
    place_labels(axes, [Label(0.1, 0.5, "here")])
    box, point = boxes_of(axes)["here"], axes.transData.transform((0.1, 0.5))
    gap_pt = (box.x0 - point[0]) * 72 / 150
    assert gap_pt == pytest.approx(10, abs=0.5)
    assert (box.y0 + box.y1) / 2 == pytest.approx(point[1], abs=1)


@house_style()
def test_label_keeps_off_the_curves() -> None:
    axes = unit_square()
    x = np.array([0.0, 1.0])
    curves = [(x, np.array([0.5, 0.5])), (np.array([0.5, 0.5]), x)]  # a cross through the point
    place_labels(axes, [Label(0.5, 0.5, "popularity")], curves)
    box = boxes_of(axes)["popularity"]
    crossing = axes.transData.transform((0.5, 0.5))
    assert not box.x0 <= crossing[0] <= box.x1
    assert not box.y0 <= crossing[1] <= box.y1


@house_style()
def test_labels_of_coinciding_points_are_joined_by_colour() -> None:
    axes = unit_square()
    labels = [Label(0.2, 0.2, name) for name in NAMES[:3]]
    place_labels(axes, [*labels, Label(0.2, 0.2, "k = 5", MUTED), Label(0.2, 0.8, "bias")])
    assert set(boxes_of(axes)) == {"svd\nsvd_tuned\nals", "k = 5", "bias"}


@house_style()
def test_near_label_has_no_line_and_a_far_one_has() -> None:
    axes = unit_square()
    x = np.linspace(0.3, 0.7, 60)
    wall = [(x, np.full(60, y)) for y in np.linspace(0.4, 0.6, 30)]  # nothing is free near the point
    place_labels(axes, [Label(0.05, 0.9, "near"), Label(0.5, 0.5, "far")], wall)
    lines = {note.get_text(): note.arrow_patch is not None for note in notes_of(axes)}
    assert lines == {"near": False, "far": True}


@house_style()
def test_layout_does_not_move_after_labels_are_placed() -> None:
    axes = unit_square()
    place_labels(axes, [Label(0.5, 0.5, "here")])
    before = axes.get_position().bounds
    axes.set_ylabel("a label\nof three\nlines")
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert axes.get_position().bounds == before
