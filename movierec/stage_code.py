"""The code lists of dvc.yaml: which first-party files each stage's script imports, written there by `make deps`."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from movierec.errors import MovierecError, run_command

PIPELINE: Final = Path("dvc.yaml")
FIRST_PARTY: Final = ("movierec", "stages")
MARK: Final = "# the code, written by `make deps`"

_LIST: Final = re.compile(rf"( +){re.escape(MARK)}\n(?:\1- \S+\.py\n)*")
_STAGE: Final = re.compile(r"cmd: python -m stages\.(\w+)\n")


def find_code(stage: str, root: Path = Path()) -> list[str]:
    """Find the first-party files that a stage's script imports, directly or not.

    Parameters
    ----------
    stage : str
        The stem of a script in ``stages``.
    root : Path
        Of the project.

    Returns
    -------
    list of str
        Paths relative to `root`, in order.
    """
    closure = trace_imports([root / "stages/__init__.py", root / f"stages/{stage}.py"], root)
    return sorted(path.relative_to(root).as_posix() for path in closure)


def trace_imports(scripts: Iterable[Path], root: Path = Path()) -> set[Path]:
    """Return the scripts and every first-party file that they import, directly or not, at once or later."""
    todo, closure = list(scripts), set[Path]()
    while todo:
        path = todo.pop()
        if path not in closure:
            closure.add(path)
            own = (name for name in list_imports(path) if name.split(".")[0] in FIRST_PARTY)
            todo += [module for name in own if (module := _find_module(name, root))]
    return closure


def list_imports(path: Path) -> set[str]:
    """Name every module that a file imports anywhere in it, with the packages around it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {".".join(part[:n]) for part in parts for n in range(1, len(part) + 1)}


def renew_code_lists(pipeline: str, root: Path = Path()) -> str:
    """Return the text of dvc.yaml with the list under each `MARK` as `find_code` says it.

    Raises
    ------
    MovierecError
        If a stage has no such list, or more than one.
    """
    head, *rest = _STAGE.split(pipeline)  # text, stage, text, stage, text
    parts = [head]
    for stage, text in zip(rest[::2], rest[1::2], strict=True):
        code = find_code(stage, root)
        renewed, count = _LIST.subn(
            lambda match, code=code: "".join(f"{match[1]}{line}\n" for line in (MARK, *(f"- {path}" for path in code))),
            text,
        )
        if count != 1:
            raise MovierecError(f"stage {stage} of dvc.yaml needs one line `{MARK}` under deps, and has {count}")
        parts += [f"cmd: python -m stages.{stage}\n", renewed]
    return "".join(parts)


def main() -> None:
    """Write the lists of dvc.yaml in the working directory anew."""
    PIPELINE.write_text(renew_code_lists(PIPELINE.read_text(encoding="utf-8")), encoding="utf-8")


def _find_module(name: str, root: Path) -> Path | None:
    base = root / Path(*name.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


if __name__ == "__main__":
    run_command(main)
