from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from movierec.errors import MovierecError
from movierec.figures import Name
from movierec.io import write_csv, write_json
from movierec.plot_tables import COLUMNS
from movierec.roster import BY_NAME
from stages import plot

ROWS = len(BY_NAME)
LETTERS = tuple("abcdefghijklmnop"[:ROWS])
DETAILS = [f"metrics/details/{name}.json" for name in ("fetch", "clean", "abtest")]
INPUTS = [*(f"plots/{name}.csv" for name in COLUMNS), *DETAILS]


def sample_table(columns: tuple[str, ...]) -> pd.DataFrame:
    """Make a row for each model, or for six things of another kind."""
    table = pd.DataFrame({column: np.arange(1, ROWS + 1) / ROWS for column in columns})
    given = {"model": tuple(BY_NAME), "configuration": LETTERS, "label": LETTERS}
    given |= {"quantity": ("difference",) * ROWS, "metric": ("rmse",) * ROWS}
    for column in table.columns.intersection(list(given)):
        table[column] = given[column]
    for column, value in (("k", 10), ("decile", 1)):
        if column in table:
            table[column] = value
    return table


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with every table."""
    monkeypatch.chdir(tmp_path)
    for name, columns in COLUMNS.items():
        write_csv(sample_table(columns), tmp_path / f"plots/{name}.csv")
    names = {"metric": "ndcg@10", "control": "popularity", "treatment": "als"}
    design = {"confidence": 0.95, "minimum_effect": 0.01, "power": 0.8, "users_needed_per_arm": 1}
    arms = {"control": {"n": 1}, "treatment": {"n": 2}}
    write_json({**names, "arms": arms, "design": design}, tmp_path / "metrics/details/abtest.json")
    write_json({"name": "ml-100k"}, tmp_path / "metrics/details/fetch.json")
    write_json({"scale": {"low": 1.0, "high": 5.0, "step": 1.0}}, tmp_path / "metrics/details/clean.json")
    return tmp_path


def pictures(project: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in (project / "plots").glob("*.png")}


def test_stage_draws_every_figure(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot.main()
    assert set(pictures(project)) == set(Name)
    assert capsys.readouterr().out.startswith(f"{len(Name)} figures in plots/: rating_distribution, ")
    for name in Name:
        picture = imread(project / f"plots/{name}.png")
        assert min(picture.shape[:2]) > 300
        assert picture.std() > 0.05, f"{name} is blank"


def test_figures_are_the_same_bytes_under_any_settings(project: Path) -> None:
    plot.main()
    first = pictures(project)
    settings: dict[str, object] = {
        "font.size": 30.0,
        "savefig.facecolor": "red",
        "lines.linewidth": 9.0,
        "axes.grid": False,
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        plot.main()
        assert {key: mpl.rcParams[key] for key in settings} == settings  # type: ignore[index]
    assert pictures(project) == first


def test_noise_floor_comes_from_fetch(project: Path) -> None:
    plot.main()
    without = pictures(project)
    write_json({"noise_floor": {"rmse": 0.8, "realised_rmse": 0.81}}, project / "metrics/details/fetch.json")
    plot.main()
    assert {name for name, picture in pictures(project).items() if picture != without[name]} == {"accuracy"}


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_is_drawn_unless_every_input_is_there(project: Path, name: str) -> None:
    (project / name).unlink()
    with pytest.raises(MovierecError, match=rf"{name} is missing: run `dvc repro`"):
        plot.main()
    assert not pictures(project)
