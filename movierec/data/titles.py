"""Words for the embedded data: MovieLens's genres and invented movie titles."""

from typing import Final

import numpy as np

GENRES: Final = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip

_QUALITIES = (
    "Amber Broken Burning Careful Crimson Crooked Distant Electric Empty Endless Faithful Familiar Final First "
    "Forgotten Fragile Frozen Gentle Gilded Golden Hidden Hollow Honest Idle Invisible Iron Last Little Lonely Long "
    "Lost Lucky Midnight Modest Narrow Nervous Northern Paper Patient Perfect Quiet Reluctant Restless Ruined Sacred "
    "Scarlet Secret Seventh Silent Silver Sleeping Stolen Strange Sudden Tender Thirsty Unfinished Velvet Wandering "
    "Wayward Weeping Whispering Wild Winter"
).split()
_THINGS = (
    "Alibi Anthem Archive Autumn Avenue Balcony Bargain Bridge Cartographer Carousel Cathedral Circus Clockmaker "
    "Comet Confession Corridor Courier Daughter Detective Echo Empire Engine Equation Evening Ferry Garden Gardener "
    "Harbor Harvest Heist Horizon Hotel Inheritance Island Journey Kingdom Lantern Letter Lighthouse Locksmith "
    "Machine Magician Map Meadow Mirror Neighbor Orchard Orchestra Passenger Pilgrim Promise Railway River Rumor "
    "Shadow Shipwreck Signal Stranger Summer Telegram Thief Voyage Waltz Wedding"
).split()
_FORMS = ("The {} {}", "{} {}", "Return to the {} {}", "A {} {}")
_SEQUELS = ("", " II", " III", " IV")


def make_titles(n: int, rng: np.random.Generator) -> list[str]:
    """Make up distinct movie titles without years.

    Parameters
    ----------
    n : int
        How many, at most 65,536.
    rng : numpy.random.Generator
        Decides which.

    Returns
    -------
    list of str
        Distinct titles in random order.

    Raises
    ------
    ValueError
        If `n` is more than there are.
    """
    sizes = (len(_SEQUELS), len(_FORMS), len(_QUALITIES), len(_THINGS))
    numbers = rng.choice(np.prod(sizes), size=n, replace=False)
    parts = zip(*np.unravel_index(numbers, sizes), strict=True)
    return [_FORMS[f].format(_QUALITIES[q], _THINGS[t]) + _SEQUELS[s] for s, f, q, t in parts]
