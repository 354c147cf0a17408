"""Stage split: put every rating into train, validation or test, and describe the movies without held-out tags."""

from movierec import io, paths, seeds
from movierec.data.content import describe_split_movies
from movierec.data.split import describe_split, split_ratings
from movierec.data.tags import read_tags
from movierec.errors import run_command
from movierec.params import load_params


def main() -> None:
    """Turn data/clean into the three parts in data/split and data/content.npz."""
    params = load_params()
    rng = seeds.rng(params.seed, "split", "shuffle")
    parts = split_ratings(io.read_parquet(paths.CLEAN_RATINGS), **params.split.model_dump(), rng=rng)
    for path in (paths.TRAIN, paths.VALIDATION, paths.TEST):
        io.write_parquet(parts[path.stem], path)
    movies, users = io.read_parquet(paths.CLEAN_MOVIES), io.read_parquet(paths.CLEAN_USERS)
    tags = read_tags(paths.RAW, users, movies)
    describe_split_movies(movies, tags, parts, cold=params.split.method == "cold_movies").save(paths.CONTENT)
    report = describe_split(parts)
    io.write_json(report, paths.DETAILS / "split.json")
    for name, counts in report.items():
        new = counts.get("ratings_not_in_train", 0)
        print(f"{name:<10} {counts['ratings']:>10,} ratings, {new:,} of a user or movie that train does not hold")


if __name__ == "__main__":
    run_command(main)
