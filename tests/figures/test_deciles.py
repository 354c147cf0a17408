from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from movierec.errors import MovierecError
from movierec.figures.deciles import draw_by_activity, draw_by_popularity

Check = Callable[[Callable[[], Figure]], Figure]
Draw = Callable[[pd.DataFrame], Figure]
MODELS = ("svd", "svd_tuned", "als", "bias", "popularity")


def table_of(
    models: tuple[str, ...] = MODELS,
    deciles: tuple[int, ...] = tuple(range(1, 11)),
    half: float = 0.01,
    metrics: tuple[str, ...] = ("rmse", "ndcg@10"),
) -> pd.DataFrame:
    """Let the first model be the best on the lowest decile, the last one on the highest."""
    rows = [
        {"model": model, "metric": metric, "decile": decile, "n_train": 1.7 * 3**decile}
        | {"estimate": 1 + 0.01 * place * (5.5 - decile)}
        for place, model in enumerate(models)
        for metric in metrics
        for decile in deciles
    ]
    table = pd.DataFrame(rows)
    return table.assign(low=table["estimate"] - half, high=table["estimate"] + 2 * half)


def spans(axes: Axes) -> list[list[list[float]]]:
    found: list[list[list[float]]] = [
        np.asarray(segments).tolist()
        for collection in axes.collections
        for segments in collection.get_segments()  # type: ignore[attr-defined]
    ]
    return found


@pytest.mark.parametrize("draw", [draw_by_activity, draw_by_popularity])
def test_points_and_intervals_are_the_table(check_figure: Check, draw: Draw) -> None:
    table = table_of()
    figure = check_figure(lambda: draw(table.sample(frac=1, random_state=2).sort_values("model", kind="stable")))
    assert [axes.get_ylabel() for axes in figure.axes] == ["RMSE on test (stars)", "ndcg@10 (0 to 1)"]
    for axes, metric in zip(figure.axes, ("rmse", "ndcg@10"), strict=True):
        lines = {str(line.get_label()): line for line in axes.lines}
        assert set(lines) == set(MODELS)
        for model, line in lines.items():
            rows = table[(table["model"] == model) & (table["metric"] == metric)]
            np.testing.assert_allclose(np.asarray(line.get_ydata()), rows["estimate"])
            np.testing.assert_array_equal(np.round(np.asarray(line.get_xdata(), dtype=float)), rows["decile"])
        ends = sorted((low, high) for (_, low), (_, high) in spans(axes))
        expected = table.loc[table["metric"] == metric, ["low", "high"]].itertuples(index=False, name=None)
        np.testing.assert_allclose(ends, sorted(expected))


def test_models_differ_without_colour() -> None:
    for axes in draw_by_activity(table_of()).axes:
        assert len({line.get_marker() for line in axes.lines}) == len(MODELS)
        assert len({str(line._dash_pattern) for line in axes.lines}) == len(MODELS)  # type: ignore[attr-defined]


def test_models_are_named_once_in_a_legend() -> None:
    figure = draw_by_activity(table_of())
    legends = [legend for axes in figure.axes if (legend := axes.get_legend())]
    assert [[text.get_text() for text in legend.get_texts()] for legend in legends] == [list(MODELS)]


def test_deciles_have_their_mean_train_ratings() -> None:
    axes = draw_by_popularity(table_of()).axes[-1]
    names = [label.get_text() for label in axes.get_xticklabels()]
    # 1.7 * 3 ** decile
    assert names[:2] == ["1\n5.1", "2\n15"]
    assert names[-1] == "10\n100,383"


def test_title_names_the_best_at_both_ends() -> None:
    # At decile 1 the last model is 0.01 * 4 * 4.5 above the first; at decile 10 as much below it.
    titles = [draw(table_of()).get_suptitle().replace("\n", " ") for draw in (draw_by_activity, draw_by_popularity)]
    assert titles == [
        f"Lowest RMSE on the tenth of {what} with the fewest ratings: svd, 1.0000; with the most: popularity, 0.8200"
        for what in ("users", "movies")
    ]


def test_those_not_in_train_are_not_drawn() -> None:
    with_cold = pd.concat([table_of(), table_of(deciles=(0,)).assign(estimate=9.0, high=9.5)])
    axes = draw_by_popularity(with_cold).axes[0]
    assert axes.get_ylim()[1] < 2
    assert {len(np.asarray(line.get_xdata())) for line in axes.lines} == {10}


@pytest.mark.parametrize(
    "table",
    [
        table_of(models=("als",)),
        table_of(deciles=(3,)),
        table_of(deciles=(1, 7), half=0.0),
        table_of(metrics=("rmse",)),
        table_of(half=30.0),
        table_of().assign(n_train=123_456.0),
    ],
    ids=["one model", "one decile", "two deciles", "one metric", "wide", "large"],
)
def test_extremes(check_figure: Check, table: pd.DataFrame) -> None:
    figure = check_figure(lambda: draw_by_popularity(table))
    assert len(figure.axes) == table["metric"].nunique()
    low, high = figure.axes[0].get_ylim()
    assert low < table["low"].min()
    assert high > table["high"].max()


def test_unknown_model_has_no_figure() -> None:
    with pytest.raises(MovierecError, match="no figure knows model 'oracle'"):
        draw_by_activity(table_of(models=("oracle",)))


def test_cold_movies_are_in_no_decile_and_the_figure_says_so() -> None:
    figure = draw_by_popularity(table_of(deciles=(0,)))
    assert [text.get_text() for text in figure.axes[0].texts] == ["No movie of the test part has ratings in train."]
