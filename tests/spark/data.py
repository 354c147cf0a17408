"""What the engines are compared on: real ratings and generated ones, split by the local engine."""

from pathlib import Path

from movierec import io
from movierec.data.clean import clean_ratings
from movierec.data.content import Content, describe_split_movies
from movierec.data.download import fetch_dataset
from movierec.data.parts import cut_parts
from movierec.data.readers import RawRatings, read_movies, read_ratings
from movierec.data.split import split_folder
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.data.tags import NO_TAGS
from movierec.evaluation.bed import TestBed
from movierec.params import load_params

PART_ROWS = 20_000  # several parts of little data


def fetch(name: str, folder: Path) -> RawRatings:
    """Put a release, or a preset of the generator, into a folder; return its ratings."""
    if name in PRESETS:
        folder.mkdir(parents=True)
        write_synthetic(folder, PRESETS[name], noise=0.8, seed=42)
    else:
        fetch_dataset(name, folder)
    return read_ratings(folder)


def split(name: str, folder: Path) -> tuple[TestBed, Content, Path]:
    """Return a data set's parts, its movies' content, and the folder of its parts."""
    params = load_params()
    raw = fetch(name, folder / "raw")
    ratings, _ = clean_ratings(raw, **params.clean.model_dump(), seed=params.seed)
    io.write_parts(cut_parts(ratings, PART_ROWS), folder / "ratings")
    names = ("train", "validation", "test")
    folders = {name: folder / name for name in names}
    split_folder(folder / "ratings", folders, **params.split.model_dump(), seed=params.seed)
    parts = {name: io.read_parquet(path) for name, path in folders.items()}
    movies = read_movies(folder / "raw")
    content = describe_split_movies(movies, NO_TAGS, (parts["validation"], parts["test"]), cold=False)
    bed = TestBed(parts["train"], parts["validation"], parts["test"], movies, relevance_threshold=4.0)
    return bed, content, folder
