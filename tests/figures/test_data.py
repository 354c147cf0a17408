import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from movierec.figures.data import draw_long_tail, draw_rating_distribution

Check = Callable[[Callable[[], Figure]], Figure]


def xy(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


def stars(**ratings: int) -> pd.DataFrame:
    return pd.DataFrame({"stars": [float(key[1:]) / 10 for key in ratings], "ratings": list(ratings.values())})


def bars_of(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def test_bars_are_the_counts(check_figure: Check) -> None:
    table = stars(s10=1, s20=2, s30=3, s40=10, s50=4)
    figure = check_figure(lambda: draw_rating_distribution(table))
    bars = bars_of(figure)
    assert [bar.get_height() for bar in bars] == [1, 2, 3, 10, 4]
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars] == pytest.approx([1, 2, 3, 4, 5])
    # mean: (1 + 4 + 9 + 40 + 20) / 20 = 74 / 20 = 3.7
    assert figure.get_suptitle() == "Most frequent of 20 ratings: 4 stars; mean 3.70 stars"
    assert [text.get_text() for text in figure.axes[0].texts] == ["5.0%", "10.0%", "15.0%", "50.0%", "20.0%"]


def test_half_stars_have_bars_apart(check_figure: Check) -> None:
    counts = [56, 112, 56, 231, 175, 686, 444, 930, 308, 500]
    table = pd.DataFrame({"stars": np.arange(0.5, 5.5, 0.5), "ratings": np.array(counts) * 10_000})
    bars = bars_of(check_figure(lambda: draw_rating_distribution(table)))
    assert all(one.get_x() + one.get_width() < other.get_x() for one, other in itertools.pairwise(bars))


def test_single_number_of_stars(check_figure: Check) -> None:
    figure = check_figure(lambda: draw_rating_distribution(stars(s40=1)))
    assert figure.get_suptitle() == "Most frequent of 1 ratings: 4 stars; mean 4.00 stars"


def test_number_of_stars_that_nobody_gave(check_figure: Check) -> None:
    figure = check_figure(lambda: draw_rating_distribution(stars(s10=0, s20=25_000_000)))
    assert [bar.get_height() for bar in bars_of(figure)] == [0, 25_000_000]


def tail(shares: list[tuple[float, float]]) -> pd.DataFrame:
    return pd.DataFrame(shares, columns=["movie_share", "rating_share"])


def test_curve_is_the_table(check_figure: Check) -> None:
    x = np.linspace(0, 1, 201)
    table = tail(list(zip(x, x**0.25, strict=True)))
    axes = check_figure(lambda: draw_long_tail(table)).axes[0]
    curves = {len(xy(line)): xy(line) for line in axes.lines}
    np.testing.assert_array_equal(curves[201], table)


@pytest.mark.parametrize(
    ("table", "head"),
    [
        (tail([(0, 0), (0.05, 0.4), (0.15, 0.6), (1, 1)]), "50.0%"),  # half-way between 0.4 and 0.6
        (tail([(0, 0), (0.1, 0.999), (1, 1)]), "99.9%"),
        (tail([(0.1, 0.1), (1, 1)]), "10.0%"),
        (tail([(1, 1)]), "10.0%"),  # one movie: a tenth of it counts for a tenth
    ],
)
def test_head_is_the_most_rated_tenth(check_figure: Check, table: pd.DataFrame, head: str) -> None:
    figure = check_figure(lambda: draw_long_tail(table))
    assert figure.get_suptitle() == f"The most-rated 10% of the movies hold {head} of the ratings"
    (point,) = (line for line in figure.axes[0].lines if line.get_marker() == "o" and xy(line)[0][0] < 1)
    assert xy(point) == [pytest.approx([0.1, float(head.rstrip("%")) / 100])]
