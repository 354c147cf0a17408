"""Stage split: put every rating into train, validation or test, and describe the movies without held-out tags."""

from functools import partial

from movierec import io, paths
from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.content import describe_split_movies
from movierec.data.split import describe_split, split_folder
from movierec.data.tags import read_tags
from movierec.errors import run_command
from movierec.params import load_params
from movierec.spark.mapping import open_mapping


def main() -> None:
    """Turn data/clean into the three parts in data/split and data/content.npz."""
    params = load_params()
    folders = {path.name: path for path in (paths.TRAIN, paths.VALIDATION, paths.TEST)}
    with open_mapping(params.engine) as run:
        split_folder(paths.CLEAN_RATINGS, folders, **params.split.model_dump(), seed=params.seed, run=run)
    parts = {name: partial(io.read_parts, path, (USER_ID, MOVIE_ID)) for name, path in folders.items()}
    movies, users = io.read_parquet(paths.CLEAN_MOVIES), io.read_parquet(paths.CLEAN_USERS)
    tags = read_tags(paths.RAW, users, movies)
    held_out = (table for name in ("validation", "test") for table in parts[name]())
    describe_split_movies(movies, tags, held_out, cold=params.split.method == "cold_movies").save(paths.CONTENT)
    report = describe_split(parts)
    io.write_json(report, paths.DETAILS / "split.json")
    for name, counts in report.items():
        new = counts.get("ratings_not_in_train", 0)
        print(f"{name:<10} {counts['ratings']:>10,} ratings, {new:,} of a user or movie that train does not hold")


if __name__ == "__main__":
    run_command(main)
