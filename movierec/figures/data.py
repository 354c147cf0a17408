"""Figures of the ratings themselves, before any model."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from movierec.figures.labels import Label, place_labels
from movierec.figures.style import BLUE, MUTED, find_limits, house_style, needs_ratings, new_figure, set_title

HEAD_SHARE = 0.1


@house_style()
@needs_ratings
def draw_rating_distribution(ratings: pd.DataFrame) -> Figure:
    """Draw how often each number of stars is given.

    Parameters
    ----------
    ratings : DataFrame
        `stars`, ascending, and `ratings`, their count; at least one row with a count above 0.

    Returns
    -------
    Figure
        A bar for each number of stars, with its share of all ratings.
    """
    figure, axes = new_figure()
    stars, count = ratings["stars"].to_numpy(dtype=float), ratings["ratings"].to_numpy()
    step = np.diff(stars).min() if len(stars) > 1 else 0.5
    bars = axes.bar(stars, count, width=0.8 * step, color=BLUE)
    axes.bar_label(bars, [f"{share:.1%}" for share in count / count.sum()], padding=3)
    axes.set_xticks(stars)
    axes.set_xlim(*find_limits([stars.min() - step / 2, stars.max() + step / 2], 2.0, 0.01))
    axes.set_ylim(0, count.max() * 1.1)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("rating (stars)")
    axes.set_ylabel("ratings (count)")
    mode, mean = stars[count.argmax()], np.average(stars, weights=count)
    set_title(figure, f"Most frequent of {count.sum():,} ratings: {mode:g} stars; mean {mean:.2f} stars")
    return figure


@house_style()
def draw_long_tail(tail: pd.DataFrame) -> Figure:
    """Draw how unevenly the ratings are spread over the movies.

    Parameters
    ----------
    tail : DataFrame
        `movie_share` and `rating_share`, both cumulative from the most-rated movie, in [0, 1]; at least one row.

    Returns
    -------
    Figure
        The curve, the share of ratings that the most-rated tenth of the movies holds, and the line of equal shares.
    """
    figure, axes = new_figure(6.7, 6.4)
    movies, ratings = tail["movie_share"].to_numpy(), tail["rating_share"].to_numpy()
    head = float(np.interp(HEAD_SHARE, [0.0, *movies], [0.0, *ratings]))
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="dashed", linewidth=1.2)
    axes.plot(movies, ratings, color=BLUE, marker="o" if len(tail) == 1 else "")
    axes.plot([HEAD_SHARE, HEAD_SHARE], [0, head], color=MUTED, linewidth=1)
    axes.plot(HEAD_SHARE, head, color=BLUE, marker="o")
    axes.set(xlim=(-0.02, 1.02), ylim=(0, 1.02), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1))
    axes.set_xlabel("movies, the most-rated first (% of all movies)")
    axes.set_ylabel("ratings that they hold (% of all ratings)")
    axes.text(
        0.6,
        0.58,
        "every movie rated equally often",
        color=MUTED,
        rotation=45,
        rotation_mode="anchor",
        ha="center",
        va="top",
    )
    set_title(figure, f"The most-rated {HEAD_SHARE:.0%} of the movies hold {head:.1%} of the ratings")
    head_label = Label(HEAD_SHARE, head, f"{HEAD_SHARE:.0%} of the movies,\n{head:.1%} of the ratings")
    place_labels(axes, [head_label], [(movies, ratings), ([0, 1], [0, 1])])
    return figure
