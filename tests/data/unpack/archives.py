"""What archives hold, and what was unpacked of them."""

from collections.abc import Callable
from pathlib import Path

Zipped = Callable[..., bytes]
GENUINE = {"ml-x/ratings.csv": b"userId,movieId,rating,timestamp\n" * 50, "ml-x/movies.csv": b"movieId,title,genres\n"}


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
