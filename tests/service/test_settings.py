from pathlib import Path

import pytest

from movierec.errors import MovierecError
from movierec.service.settings import read_settings

PARAMS = Path("params.yaml").read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    return tmp_path


def test_defaults_serve_the_champion_from_sqlite(root: Path) -> None:
    settings = read_settings(root, {"MOVIEREC_API_TOKEN": "", "PATH": "/bin"})
    assert settings.database_url == f"sqlite:///{root}/.movierec/service.db"
    assert settings.api_token is None
    assert not settings.serve_experiment
    assert settings.rate_limit > 0


def test_variables_are_read(root: Path) -> None:
    given = {"MOVIEREC_CACHE_SIZE": "5", "MOVIEREC_CACHE_TTL_S": "1.5", "MOVIEREC_RATE_LIMIT": "0"}
    settings = read_settings(root, {**given, "MOVIEREC_DATABASE_URL": "sqlite:///x", "MOVIEREC_EXPERIMENT": "on"})
    assert (settings.cache_size, settings.cache_ttl_s, settings.rate_limit) == (5, 1.5, 0)
    assert settings.database_url == "sqlite:///x"
    assert settings.serve_experiment
    assert settings.experiment
    assert settings.experiment.models == {"control": "popularity", "treatment": "als"}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MOVIEREC_CACHE_SIZE", "-1", "^MOVIEREC_CACHE_SIZE: input should be greater than or equal to 0$"),
        ("MOVIEREC_CACHE_TTL_S", "nan", "^MOVIEREC_CACHE_TTL_S: "),
        ("MOVIEREC_RATE_LIMIT", "many", "^MOVIEREC_RATE_LIMIT: input should be a valid integer"),
        ("MOVIEREC_EXPERIMENT", "yes", "^MOVIEREC_EXPERIMENT is 'yes': it must be on or off$"),
    ],
)
def test_wrong_value_names_its_variable(root: Path, name: str, value: str, problem: str) -> None:
    with pytest.raises(MovierecError, match=problem):
        read_settings(root, {name: value})


def test_short_token_is_refused_without_telling_it(root: Path) -> None:
    with pytest.raises(MovierecError, match="^MOVIEREC_API_TOKEN: .*at least 16") as caught:
        read_settings(root, {"MOVIEREC_API_TOKEN": "sesame"})
    assert "sesame" not in str(caught.value)


def test_experiment_with_a_model_that_is_not_stored_cannot_be_served(root: Path) -> None:
    (root / "params.yaml").write_text(PARAMS.replace("control: popularity", "control: bias"), encoding="utf-8")
    assert read_settings(root, {}).experiment is None
    with pytest.raises(MovierecError, match="'bias', which cannot be served"):
        read_settings(root, {"MOVIEREC_EXPERIMENT": "on"})


def test_without_params_there_is_no_experiment(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}).experiment is None
    with pytest.raises(MovierecError, match="not found"):
        read_settings(tmp_path, {"MOVIEREC_EXPERIMENT": "on"})
