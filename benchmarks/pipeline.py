"""What each stage costs as the data grow: wall and processor seconds and peak memory, from 0.1 to 25 million ratings.

Every stage runs as a process of its own in a copy of the project, the embedded data's shape grown step by step.
Compiling is excluded: the tiny preset and a wide one run first and leave their kernels on disk. Needs 5 GB of memory,
8 GB of disk, and twenty minutes on an idle machine. Writes benchmarks/results/pipeline.json and pipeline.png. A peak is
never below what this script itself holds when it starts a stage, 0.3 GB.

Name sizes as arguments to run these alone: `python -m benchmarks.pipeline 0.1 3.5`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import yaml
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from movierec.data.synthetic import PRESETS, Shape
from movierec.errors import MovierecError, run_command
from movierec.figures.style import house_style, new_figure, save_figure, set_title
from movierec.io import write_json
from movierec.progress import count_step, make_bar

RESULT = Path(__file__).parent / "results/pipeline.json"
PICTURE = RESULT.with_suffix(".png")
ROOT = Path(__file__).parents[1]
SHAPES: Final = {  # by millions of ratings
    "0.1": PRESETS["small"],
    "1": Shape(1_000_000, 12_800, 5_000),
    "3.5": PRESETS["headline"],
    "10": Shape(10_000_000, 80_000, 25_000),
    "25": PRESETS["ml-25m"],
}
WIDE: Final = (1_000_000, 50_000, 20_001)  # ratings, users and movies: enough pairs to be drawn by rejection
FETCH: Final = """
import sys
import movierec
from movierec.data.synthetic import PRESETS, Shape
PRESETS.update(dict.fromkeys(PRESETS, Shape(*map(int, sys.argv[1:]))))
from stages.fetch import main
main()
"""
STYLES: Final = ("-", "--", ":")
Costs = dict[str, dict[str, float]]  # by stage


def main() -> None:
    """Run the whole pipeline at each size, or at those named."""
    sizes = sys.argv[1:] or list(SHAPES)
    with TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        for name in ("movierec", "stages"):
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")) | {"dataset": "synthetic"}
        (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        run(project, "-c", FETCH, *map(str, WIDE))
        run_stages(project, PRESETS["tiny"])
        costs = {size: run_stages(project, SHAPES[size]) for size in sizes}
    slopes = find_slopes({float(size): stages for size, stages in costs.items()})
    write_json({"costs": costs, "slopes": slopes, "cores": os.cpu_count()}, RESULT)
    save_figure(draw_scaling({float(size): stages for size, stages in costs.items()}, slopes), PICTURE)
    print("\n\n".join(f"{size} million ratings\n\n{format_table(stages)}" for size, stages in costs.items()))


def run_stages(project: Path, shape: Shape) -> Costs:
    """Run every stage of dvc.yaml on the embedded data in a shape of their own."""
    fetch, *stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name in ("data", "models", "metrics", "plots", ".movierec"):
        shutil.rmtree(project / name, ignore_errors=True)
    sizes = map(str, (shape.ratings, shape.users, shape.movies))
    with make_bar(f"{shape.ratings:,} ratings", total=1 + len(stages), unit="stage") as bar:
        costs = {fetch: count_step(bar, run(project, "-c", FETCH, *sizes))}
        return costs | {stage: count_step(bar, run(project, "-m", f"stages.{stage}")) for stage in stages}


def run(project: Path, *arguments: str) -> dict[str, float]:
    """Run Python in the project, and return what it cost.

    Raises
    ------
    MovierecError
        If it fails, with what it wrote.
    """
    variables = {"MOVIEREC_TRACKING": "off", "DVC_ROOT": str(project), "PYTHONPATH": str(project)}
    with (project / "log").open("w+b") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=project, env={**os.environ, **variables}, stdout=log, stderr=log
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        output = (project / "log").read_text(encoding="utf-8")
        raise MovierecError(f"{' '.join(arguments[:2])} failed:\n{output}")
    return {"wall_s": wall_s, "processor_s": used.ru_utime + used.ru_stime, "peak_gb": used.ru_maxrss * 1024 / 1e9}


def find_slopes(costs: Mapping[float, Costs]) -> dict[str, float]:
    """Return the powers of the number of ratings by which processor time grows, over the three largest sizes."""
    largest = sorted(costs)[-3:]
    if len(largest) < 2:
        return {}
    return {
        stage: float(
            np.polyfit(np.log10(largest), np.log10([costs[size][stage]["processor_s"] for size in largest]), 1)[0]
        )
        for stage in costs[largest[0]]
    }


@house_style()
def draw_scaling(costs: Mapping[float, Costs], slopes: Mapping[str, float]) -> Figure:
    """Draw each stage's processor time against the number of ratings, both on logarithmic axes."""
    figure, axes = new_figure(10, 6)
    sizes = sorted(costs)
    largest = costs[sizes[-1]]
    for number, stage in enumerate(sorted(largest, key=lambda name: -largest[name]["processor_s"])):
        label = f"{stage}, slope {slopes[stage]:.2f}" if stage in slopes else stage
        look = {
            "color": f"C{number % 6}",
            "linestyle": STYLES[number // 6 % len(STYLES)],
            "marker": "o",
            "label": label,
        }
        axes.plot(sizes, [costs[size][stage]["processor_s"] for size in sizes], **look)
    axes.set(xscale="log", yscale="log", xlabel="millions of ratings", ylabel="processor time (s)")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    total_s = sum(cost["processor_s"] for cost in largest.values())
    set_title(figure, f"{sizes[-1]:g} million ratings cost {total_s:,.0f} s of processor time in all stages")
    return figure


def format_table(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Return a Markdown table with a row for each stage and one for all."""
    rows = {
        **stages,
        "all": {
            "wall_s": sum(each["wall_s"] for each in stages.values()),
            "processor_s": sum(each["processor_s"] for each in stages.values()),
            "peak_gb": max(each["peak_gb"] for each in stages.values()),
        },
    }
    lines = ["| stage | wall (s) | processor (s) | peak (GB) |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {name} | {each['wall_s']:.1f} | {each['processor_s']:.1f} | {each['peak_gb']:.2f} |"
        for name, each in rows.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
