"""Stage fetch: generate the embedded data, or get and verify an archive or the user's own files."""

from dataclasses import asdict

from movierec import io, paths
from movierec.data.download import fetch_dataset
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.errors import run_command
from movierec.params import load_params


def main() -> None:
    """Fill data/raw and write metrics/fetch.json and its details."""
    params = load_params()
    if params.dataset != "synthetic":
        report = fetch_dataset(params.dataset, paths.RAW, params.source, params.feedback, params.split.method)
        io.write_json(asdict(report), paths.DETAILS / "fetch.json")
        io.write_json({}, paths.METRICS / "fetch.json")
        print(f"{report.name}: {report.layout} layout, {report.bytes / 1e6:,.1f} MB, sha256 {report.sha256[:12]}")
        return
    shape = PRESETS[params.synthetic.preset]
    with io.replace_folder(paths.RAW) as folder:
        floor = write_synthetic(folder, shape, params.synthetic.noise, params.seed)
    io.write_json({"name": "synthetic", "noise_floor": asdict(floor)}, paths.DETAILS / "fetch.json")
    io.write_json({"noise_floor": floor.rmse}, paths.METRICS / "fetch.json")
    print(f"synthetic: {shape.ratings:,} ratings by {shape.users:,} users of {shape.movies:,} movies")


if __name__ == "__main__":
    run_command(main)
