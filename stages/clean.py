"""Stage clean: read the archive's files, drop what is broken, and describe what remains."""

from movierec import io, paths, seeds
from movierec.data.clean import clean_ratings
from movierec.data.describe import count_stars, describe_ratings, trace_long_tail
from movierec.data.readers import read_movies, read_ratings
from movierec.errors import run_command
from movierec.params import load_params


def main() -> None:
    """Turn data/raw into data/clean."""
    params = load_params()
    raw = read_ratings(paths.RAW)
    movies = read_movies(paths.RAW)
    rng = seeds.rng(params.seed, "clean", "sample")
    ratings, report = clean_ratings(raw, **params.clean.model_dump(), rng=rng)
    unlisted = set(ratings["movie_id"].unique()) - set(movies["movie_id"])
    io.write_parquet(ratings, paths.CLEAN_RATINGS)
    io.write_parquet(movies, paths.CLEAN_MOVIES)
    io.write_csv(count_stars(ratings), paths.PLOTS / "clean_ratings.csv")
    io.write_csv(trace_long_tail(ratings), paths.PLOTS / "clean_long_tail.csv")
    described = describe_ratings(ratings)
    counts = {"rows_in": report.rows_in, "dropped": report.dropped, "movies_without_title": len(unlisted)}
    io.write_json({**described, **counts}, paths.DETAILS / "clean.json")
    io.write_json({name: described[name] for name in ("ratings", "users", "movies")}, paths.METRICS / "clean.json")
    print(
        f"{described['ratings']:,} of {report.rows_in:,} ratings kept: {described['users']:,} users, "
        f"{described['movies']:,} movies, {described['sparsity']:.2%} sparse",
    )


if __name__ == "__main__":
    run_command(main)
