"""Fourteen photographs that lie inside the wheels of scikit-learn and scikit-image: no download."""

from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np

from dlcourse.data.download import MissingData

_LEARN, _IMAGE = "sklearn.datasets.images", "skimage.data"
TRAIN = {  # name: package, file, origin, licence (as the packages state them)
    "china": (_LEARN, "china.jpg", "danielbuechele, Flickr", "CC BY 2.0"),
    "flower": (_LEARN, "flower.jpg", "vultilion, Flickr", "CC BY 2.0"),
    "coffee": (_IMAGE, "coffee.png", "Rachel Michetti, Pikolo Espresso Bar", "CC0"),
    "motorcycle": (_IMAGE, "motorcycle_left.png", "Middlebury stereo 2014", "not stated"),
    "brick": (_IMAGE, "brick.png", "CC0Textures, warped and reduced", "CC0"),
    "gravel": (_IMAGE, "gravel.png", "CC0Textures, reduced", "CC0"),
}
UNSEEN = {
    "astronaut": (_IMAGE, "astronaut.png", "NASA, Eileen Collins", "public domain"),
    "camera": (_IMAGE, "camera.png", "Lav Varshney", "CC0"),
    "chelsea": (_IMAGE, "chelsea.png", "Stefan van der Walt", "CC0"),
    "coins": (_IMAGE, "coins.png", "Brooklyn Museum", "no known copyright restrictions"),
    "grass": (_IMAGE, "grass.png", "linolafett, DeviantArt", "CC0"),
    "hubble": (_IMAGE, "hubble_deep_field.jpg", "NASA, HubbleSite", "public domain"),
    "moon": (_IMAGE, "moon.png", "not stated", "not stated"),
    "rocket": (_IMAGE, "rocket.jpg", "SpaceX, DSCOVR launch", "public domain"),
}


@dataclass(frozen=True)
class Photo:
    """One photograph: `pixels` (h, w, 3) or (h, w) uint8, who took it, under which licence."""

    name: str
    pixels: np.ndarray = field(repr=False)
    origin: str
    licence: str


def photos() -> tuple[dict[str, Photo], dict[str, Photo]]:
    """Real photographs by name: six to train on, and eight never to be trained on.

    The split is by photograph and fixed, so no patch of an unseen picture can leak. Six are grey,
    eight in colour; sides from 300 to 1 000 pixels. Files are read from the installed packages,
    never fetched. Raises MissingData when a package was installed without its pictures.
    """
    train, unseen = (
        {name: Photo(name, _pixels(*row[:2]), *row[2:]) for name, row in table.items()}
        for table in (TRAIN, UNSEEN)
    )
    return train, unseen


def _pixels(package: str, file: str) -> np.ndarray:
    from PIL import Image  # here, so that dlcourse.data stays light

    try:
        return np.array(Image.open(files(package) / file))
    except FileNotFoundError as error:
        raise MissingData(f"{file} is not in {package}; install that package anew.") from error
