"""README.md and docs/ show what is there: commands and their output, parameters, files, links and results."""

import itertools
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup
from typer.testing import CliRunner

from movierec.cli import app
from movierec.service.app import create_app
from movierec.service.settings import ServiceSettings, _Environment
from movierec.spark.settings import SparkSettings

ROOT = Path(__file__).parents[1]
MOST_BYTES = 9_000
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def list_code(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each block that is set as code, fenced or indented."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for block in re.findall(r"(?<=\n\n)(?:    .*\n|\n)+", prose):
        yield "sh", re.sub(r"^    ", "", block, flags=re.MULTILINE)


def list_commands(page: Path) -> list[list[str]]:
    """Split every command line into words: those of shell blocks, after ``$`` in consoles, and between backticks."""
    lines = []
    for language, code in list_code(page):
        if language == "console":
            lines += re.findall(r"^\$ (.*)", code, re.MULTILINE)
        elif language == "sh":
            lines += code.splitlines()
    lines += re.findall(r"`((?:movierec|make|dvc|python -m) [^`\n]+)`", page.read_text(encoding="utf-8"))
    commands = (_drop_variables(shlex.split(line, comments=True)) for line in lines)
    return [command for command in commands if command]


def _drop_variables(command: list[str]) -> list[str]:
    while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
        command = command[1:]
    return command


def slugs_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= MOST_BYTES


def test_the_readme_names_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"({page.relative_to(ROOT)})" not in text] == []


@every_page
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in slugs_of(target), link


@every_page
def test_paths_in_the_text_exist(page: Path) -> None:
    folders = "movierec|stages|tests|benchmarks|docs|ops|plots|metrics"
    for path in re.findall(rf"`((?:{folders})/[\w/.\-]*)`", page.read_text(encoding="utf-8")):
        if not re.search(r"[A-Z]{3}", path):  # NAME, STAGE: to be filled in
            assert (ROOT / path).exists(), path


@every_page
def test_commands_of_movierec_take_the_options_shown(page: Path) -> None:
    for name, *words in list_commands(page):
        if name == "movierec":
            command = typer.main.get_command(app)
            while words and isinstance(command, TyperGroup):
                assert words[0] in command.commands, words
                command = command.commands[words.pop(0)]
            if words:  # not only mentioned by its name
                command.make_context(name, words)  # parses and checks the options, runs nothing


@every_page
def test_targets_and_modules_exist(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in list_commands(page):
        if command[0] == "make":
            assert [word for word in command[1:] if "=" not in word and word not in targets] == []
        if command[:2] == ["python", "-m"]:
            assert (ROOT / command[2].replace(".", "/")).with_suffix(".py").exists(), command


@every_page
def test_parameters_that_are_set_exist(page: Path) -> None:
    for option, setting in itertools.chain.from_iterable(map(itertools.pairwise, list_commands(page))):
        if option == "-S" and not setting.startswith("+"):
            section: Any = yaml.safe_load((ROOT / "params.yaml").read_text())
            for key in setting.split("=")[0].split("."):
                assert key in section, setting
                section = section[key]


def test_requests_have_a_route(tmp_path: Path) -> None:
    service = create_app(ServiceSettings(root=tmp_path, database_url=f"sqlite:///{tmp_path}/ratings.db"))
    routes = [re.sub(r"\{\w+\}", "[^/]+", route) for route in service.openapi()["paths"]]
    shown = [
        path for page in PAGES for path in re.findall(r"127\.0\.0\.1:8000(/[\w/]+)", page.read_text(encoding="utf-8"))
    ]
    assert len(shown) >= 3
    assert [path for path in shown if not any(re.fullmatch(route, path) for route in routes)] == []


def test_environment_variables_are_read_somewhere() -> None:
    settings = {f"MOVIEREC_{name.upper()}" for name in _Environment.model_fields}
    settings |= {f"MOVIEREC_SPARK_{name.upper()}" for name in SparkSettings.model_fields}
    code = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("[mt]*/**/*.py"))
    shown = {
        name for page in PAGES for name in re.findall(r"MOVIE(?:REC|LENS)_[A-Z_]+", page.read_text(encoding="utf-8"))
    }
    assert {name for name in shown - settings if f'"{name}"' not in code} == set()


@every_page
def test_python_examples_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language, code in list_code(page):
        if language == "python":
            exec(compile(code, str(page), "exec"), {})  # noqa: S102  # our own pages
    assert "Traceback" not in capsys.readouterr().out


def test_the_experiments_commands_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    examples = [code for language, code in list_code(ROOT / "docs/abtest.md") if language == "console"]
    assert [example.split()[3] for example in examples] == ["assign", "power", "analyze"]
    for example in examples:
        command, shown = example.split("\n", 1)
        assert CliRunner().invoke(app, shlex.split(command)[2:]).output.strip() == shown.strip()


def test_the_readmes_results_of_the_embedded_data_are_the_committed_ones() -> None:
    metrics = json.loads((ROOT / "metrics/evaluate.json").read_text())
    rows = re.findall(r"^\| (\w+) \| (\d\.\d+) \| (\d\.\d+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(rows) >= 6
    for model, *shown in rows:
        assert shown == [f"{metrics[model][name]:.4f}" for name in ("rmse", "ndcg@10")], model


def test_the_tutorial_shows_the_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed = CliRunner().invoke(app, ["summary"]).output
    assert printed.split("\n\nFigures")[0].strip() in (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")


def test_the_picture_of_the_flow_names_every_stage() -> None:
    picture = (ROOT / "docs/img/flow.svg").read_text(encoding="utf-8")
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert [stage for stage in stages if f">{stage}<" not in picture] == []


def test_the_newest_release_is_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    releases = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert releases[0] == version
