import numpy as np
import pytest
from matplotlib.lines import Line2D

from movierec.figures.intervals import DrawnInterval, draw_interval, draw_reference, finish_rows
from movierec.figures.style import house_style, new_figure
from movierec.roster import Look

LOOK = Look("#0072b2", "s", "solid")


def xy(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


def test_interval_is_written_with_true_minus_signs() -> None:
    assert DrawnInterval(-0.00451, -0.0255, 0.0165).write("95% interval ", "+z.4f") == (
        "\N{MINUS SIGN}0.0045 (95% interval \N{MINUS SIGN}0.0255 to +0.0165)"
    )


def test_no_negative_zero_is_written() -> None:
    assert DrawnInterval(0, -1e-7, 1e-7).write(number="+z.4f") == "+0.0000 (+0.0000 to +0.0000)"


@house_style()
@pytest.mark.parametrize(("filled", "face", "weight"), [(True, "#0072b2", "bold"), (False, "white", "normal")])
def test_interval_is_drawn_in_its_row(filled: bool, face: str, weight: str) -> None:  # noqa: FBT001
    _, axes = new_figure()
    draw_interval(axes, 3, DrawnInterval(0.5, 0.4, 0.7), LOOK, filled=filled)
    span, dot = axes.lines
    assert xy(span) == [[0.4, 3.0], [0.7, 3.0]]
    assert xy(dot) == [[0.5, 3.0]]
    assert (dot.get_marker(), dot.get_markerfacecolor()) == ("s", face)
    (numbers,) = axes.texts
    assert (numbers.get_text(), numbers.get_fontweight()) == ("0.5000 (0.4000 to 0.7000)", weight)


@house_style()
def test_rows_run_from_top_to_bottom() -> None:
    _, axes = new_figure()
    finish_rows(axes, ["first", "second"])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    low, high = axes.get_ylim()
    assert low > 1
    assert high < 0


@house_style()
def test_reference_is_a_named_line() -> None:
    _, axes = new_figure()
    draw_reference(axes, 0.8, "noise floor")
    assert axes.lines[0].get_xdata() == [0.8, 0.8]
    assert axes.texts[0].get_text() == "noise floor"
