import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from movierec.errors import MovierecError
from movierec.params import load_params
from movierec.service.settings import ServiceSettings, read_settings

Put = Callable[..., None]

PARAMS = Path("params.yaml").read_text(encoding="utf-8")


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Give a function that sets variables, and see that no others are there."""
    for name in [name for name in os.environ if name.startswith("MOVIEREC_")]:
        monkeypatch.delenv(name)

    def put(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    return tmp_path


def test_defaults_serve_the_champion_from_sqlite(root: Path, put: Put) -> None:
    put(MOVIEREC_API_TOKEN="", MOVIEREC_DATABASE_URL="", MOVIEREC_ALLOWED_HOSTS="", MOVIEREC_EXPERIMENT="")
    settings = read_settings(root)
    assert settings.database_url == f"sqlite:///{root}/.movierec/service.db"
    assert settings.api_token is None
    assert not settings.serve_experiment
    assert settings.rate_limit > 0
    assert settings.allowed_hosts == ()


def test_variables_are_read(root: Path, put: Put) -> None:
    put(MOVIEREC_CACHE_SIZE="5", MOVIEREC_CACHE_TTL_S="1.5", MOVIEREC_RATE_LIMIT="0")
    put(MOVIEREC_DATABASE_URL="sqlite:///x", MOVIEREC_EXPERIMENT="on", MOVIEREC_API_TOKEN="x" * 16)
    put(MOVIEREC_ALLOWED_HOSTS=" Movies.Example,*.example.org, [::1] ")
    settings = read_settings(root)
    assert (settings.cache_size, settings.cache_ttl_s, settings.rate_limit) == (5, 1.5, 0)
    assert settings.database_url == "sqlite:///x"
    assert settings.api_token == SecretStr("x" * 16)
    assert settings.allowed_hosts == ("movies.example", "*.example.org", "[::1]")
    assert settings.serve_experiment
    assert settings.experiment
    assert settings.experiment.models == {"control": "als", "treatment": "blend"}
    section = load_params(root / "params.yaml").abtest
    assert settings.experiment.minimum_effect == section.minimum_effect
    assert (settings.experiment.significance, settings.experiment.power) == (section.significance, section.power)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MOVIEREC_CACHE_SIZE", "-1", "^MOVIEREC_CACHE_SIZE: input should be greater than or equal to 0$"),
        ("MOVIEREC_CACHE_TTL_S", "nan", "^MOVIEREC_CACHE_TTL_S: "),
        ("MOVIEREC_RATE_LIMIT", "many", "^MOVIEREC_RATE_LIMIT: input should be a valid integer"),
        ("MOVIEREC_EXPERIMENT", "yes", "^MOVIEREC_EXPERIMENT: input should be 'on' or 'off'$"),
        ("MOVIEREC_ALLOWED_HOSTS", "*", "^MOVIEREC_ALLOWED_HOSTS: string should match pattern"),
        ("MOVIEREC_ALLOWED_HOSTS", "https://movies.example", "^MOVIEREC_ALLOWED_HOSTS: string should match pattern"),
    ],
)
def test_wrong_value_names_its_variable(root: Path, put: Put, name: str, value: str, problem: str) -> None:
    put(**{name: value})
    with pytest.raises(MovierecError, match=problem):
        read_settings(root)


def test_short_token_is_refused_without_telling_it(root: Path, put: Put) -> None:
    put(MOVIEREC_API_TOKEN="sesame")  # noqa: S106
    with pytest.raises(MovierecError, match="^MOVIEREC_API_TOKEN: .*at least 16") as caught:
        read_settings(root)
    assert "sesame" not in "".join(traceback.format_exception(caught.value))


def test_settings_made_by_hand_do_not_read_the_environment(root: Path, put: Put) -> None:
    put(MOVIEREC_CACHE_SIZE="5", MOVIEREC_ROOT="/")
    assert ServiceSettings(root=root, database_url="sqlite:///x").cache_size == 64
    assert read_settings(root).root == root


def test_experiment_with_a_model_that_is_not_stored_cannot_be_served(root: Path, put: Put) -> None:
    (root / "params.yaml").write_text(PARAMS.replace("control: als", "control: bias"), encoding="utf-8")
    assert read_settings(root).experiment is None
    put(MOVIEREC_EXPERIMENT="on")
    with pytest.raises(MovierecError, match="'bias', which cannot be served"):
        read_settings(root)


def test_arms_that_only_a_service_has_make_an_experiment_of_their_own(root: Path, put: Put) -> None:
    put(MOVIEREC_EXPERIMENT="on", MOVIEREC_EXPERIMENT_ARMS="bayes, bayes_explore")
    experiment = read_settings(root).experiment
    assert experiment
    assert experiment.name == "bayes_explore-against-bayes"
    assert experiment.models == {"control": "bayes", "treatment": "bayes_explore"}
    assert experiment.minimum_effect == load_params(root / "params.yaml").abtest.minimum_effect
    put(MOVIEREC_EXPERIMENT_ARMS="als,als")
    with pytest.raises(MovierecError, match="both arms are als: name two models"):
        read_settings(root)
    put(MOVIEREC_EXPERIMENT_ARMS="als,alz")
    with pytest.raises(MovierecError, match="^MOVIEREC_EXPERIMENT_ARMS: input should be 'svd', "):
        read_settings(root)


def test_without_params_there_is_no_experiment(tmp_path: Path, put: Put) -> None:
    assert read_settings(tmp_path).experiment is None
    put(MOVIEREC_EXPERIMENT="on")
    with pytest.raises(MovierecError, match="not found"):
        read_settings(tmp_path)
