"""Image layers that move what is in images, and those that put several together.

Without a formula, as what is random in them cannot be told afterwards, are random_perspective,
random_elastic_transform, aug_mix and rand_augment: it is checked that images change, and stay
within 0 to 255. Each other layer has a reference, or a check against all that may become of an
image.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, integers, uniform
from suites import _spatial
from suites.preprocessing import checks, geometry
from suites.preprocessing.checks import one_of
from suites.preprocessing.declaration import (
    BILINEAR,
    CHANNELS,
    SEEDED,
    always,
    factor,
    image,
    preprocessing,
)

BOX = 4
"""Numbers of a box: two corners."""


def _blur(c: Config) -> int:
    """Side of the kernel that an elastic transform's fields are blurred with."""
    return 6 * int(0.05 * c.size) | 1


def _pipeline(c: Config) -> dict[str, Any]:
    from keras.layers import CenterCrop, Rescaling

    crop = CenterCrop(c.target, c.target, data_format=_spatial.keras_data_format(c))
    return {"layers": [crop, Rescaling(1 / 127.5, offset=-1.0)]}


def _max_num_bounding_boxes() -> Layer:
    """Its images pass as they are; one pixel each stands for them."""

    def build(c: Config) -> Any:
        import keras

        return keras.layers.MaxNumBoundingBoxes(c.most, bounding_box_format="xyxy")

    def call(module: Any, c: Config, boxes: Any, labels: Any, pixels: Any) -> Any:
        given = {"images": pixels, "bounding_boxes": {"boxes": boxes, "labels": labels}}
        return module(given)["bounding_boxes"]["boxes"]

    def reference(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
        boxes = inputs["boxes"][:, : c.most]
        missing = c.most - boxes.shape[1]
        return np.pad(boxes, ((0, 0), (0, missing), (0, 0)), constant_values=-1)

    return preprocessing(
        Builder(build, call=call, covers=("keras.layers.MaxNumBoundingBoxes",)),
        name="max_num_bounding_boxes",
        formula="y = the first so many boxes of an image, filled up with -1",
        # Lin et al. (2014), arXiv:1405.0312: COCO's images have 7.7 objects on average; detectors
        # such as those of Ren et al. (2015) are trained with up to 100 a picture.
        presets={"textbook": {"boxes": 8, "most": 16}, "coco": {"boxes": 100, "most": 64}},
        inputs=lambda c: {
            "boxes": uniform(c.batch, c.boxes, BOX, low=0, high=255, trainable=False),
            "labels": integers(c.batch, c.boxes, high=80),
            "pixels": uniform(c.batch, 1, 1, CHANNELS, low=0, high=255, trainable=False),
        },
        output=lambda c: (c.batch, c.most, BOX),
        reference=reference,
        flops=lambda c: 0,
    )


PLACES = (
    image(
        "resizing",
        "Resizing",
        lambda c: {"height": c.target, "width": c.target},
        "y = x at ((i + 1/2) size / target - 1/2, ...), bilinearly, without antialiasing",
        lambda c: BILINEAR,
        sizes=(32, 256),
        resized=True,
        check=one_of(lambda x, c: [geometry.resized(x, c)], roundings=geometry.roundings),
    ),
    image(
        "center_crop",
        "CenterCrop",
        lambda c: {"height": c.target, "width": c.target},
        "y = the middle of x",
        lambda c: 0,
        sizes=(32, 256),
        resized=True,
        reference=geometry.center_cropped,
    ),
    image(
        "random_crop",
        "RandomCrop",
        lambda c: {"height": c.target, "width": c.target, **SEEDED},
        "y = a window of x, the same one for the whole batch",
        lambda c: 0,
        sizes=(32, 256),
        resized=True,
        check=checks.cropped,
        source="Krizhevsky et al. (2012), section 4.1",
    ),
    # Keras draws one number for both axes of "horizontal_and_vertical", its default.
    image(
        "random_flip",
        "RandomFlip",
        lambda c: {"mode": "horizontal", **SEEDED},
        "y = x, or x from right to left, with probability 1/2",
        lambda c: 0,
        check=one_of(lambda x, c: [x, x[..., ::-1]]),
    ),
    image(
        "random_rotation",
        "RandomRotation",
        factor,
        "y = x about its middle by factor of the circle, bilinearly",
        lambda c: 8 + BILINEAR,
        params={"factor": 0.1},
        check=one_of(geometry.rotations, roundings=geometry.roundings),
    ),
    image(
        "random_translation",
        "RandomTranslation",
        lambda c: {
            "height_factor": (c.factor, c.factor),
            "width_factor": (c.factor, c.factor),
            **SEEDED,
        },
        "y[i, j] = x[i - factor size, j - factor size], bilinearly",
        lambda c: 2 + BILINEAR,
        params={"factor": 0.1},
        check=one_of(geometry.translations, roundings=geometry.roundings),
    ),
    image(
        "random_zoom",
        "RandomZoom",
        lambda c: {"height_factor": (c.factor, c.factor), **SEEDED},
        "y[i] = x[(1 + factor) (i - m) + m], m = (size - 1) / 2, along both axes, bilinearly",
        lambda c: 4 + BILINEAR,
        params={"factor": 0.2},
        check=one_of(geometry.zooms, roundings=geometry.roundings),
    ),
    image(
        "random_shear",
        "RandomShear",
        lambda c: {
            "x_factor": (c.factor, c.factor),
            "y_factor": (c.factor, c.factor),
            **SEEDED,
        },
        "y[i, j] = x[i + s j, j + s i], s = factor or -factor, bilinearly",
        lambda c: 4 + BILINEAR,
        params={"factor": 0.2},
        check=one_of(geometry.shears, roundings=geometry.roundings),
    ),
    image(
        "random_perspective",
        "RandomPerspective",
        always,
        "y = x in perspective, its corners moved by up to half of their distance from the first",
        lambda c: 14 + BILINEAR,
        check=checks.bounded,
    ),
)


# AugMix draws its layers with Python's own generator, unseeded, and so others in each call; a
# tf.function keeps those of its first call. RandAugment computes all of its 11 layers each time,
# and takes the result of one: what it draws from is counted, on average.
RAND_AUGMENT = (2 + 4 + 8 + 3 * BILINEAR + CHANNELS * (2 + 6 + 5 + 22 + 4 + 2 + 5 + 1)) // 11

SEVERAL = (
    # A field of normal numbers for each axis, blurred by a kernel of 6 sigma, sigma = 0.05 size;
    # its images are looked up one by one: hence smaller ones.
    image(
        "random_elastic_transform",
        "RandomElasticTransform",
        lambda c: {"scale": (1.0, 1.0), **always(c)},
        "y[i, j] = x[(i, j) + 0.1 size u], u = random fields blurred with sigma = 0.05 size",
        lambda c: 4 * _blur(c) ** 2 + 6 + BILINEAR,
        sizes=(32, 64),
        check=checks.bounded,
        products=lambda c: 4 * _blur(c) ** 2,
        source="Simard et al. (2003), doi:10.1109/ICDAR.2003.1227801, section 2",
    ),
    image(
        "random_erasing",
        "RandomErasing",
        lambda c: {"scale": (c.factor, c.factor), "fill_value": checks.FILL, **always(c)},
        "y = x with a rectangle of the share factor of it filled",
        lambda c: 0,
        params={"factor": 0.1},
        check=checks.erased,
        source="Zhong et al. (2017), arXiv:1708.04896",
    ),
    image(
        "cut_mix",
        "CutMix",
        always,
        "y = x with a rectangle from another image of the batch",
        lambda c: 0,
        check=checks.pasted,
        source="Yun et al. (2019), arXiv:1905.04899",
    ),
    image(
        "mix_up",
        "MixUp",
        lambda c: {"alpha": c.alpha, **SEEDED},
        "y = w x + (1 - w) x', x' another image of the batch, w ~ Beta(alpha, alpha)",
        lambda c: 3 * CHANNELS,
        params={"alpha": 0.2},
        check=checks.mixed,
        source="Zhang et al. (2017), arXiv:1710.09412",
    ),
    image(
        "aug_mix",
        "AugMix",
        lambda c: SEEDED,
        "y = w x + (1 - w) (sum over 3 chains of v_k chain_k(x)), w and v random, each chain up to "
        "3 random layers; the mixing alone is counted",
        lambda c: (3 * 2 + 3 + 1) * CHANNELS,
        sizes=(32, 64),
        check=checks.bounded,
        source="Hendrycks et al. (2019), arXiv:1912.02781",
    ),
    image(
        "rand_augment",
        "RandAugment",
        lambda c: SEEDED,
        "y = x after 2 random layers of 11",
        lambda c: 2 * RAND_AUGMENT,
        sizes=(32, 64),
        check=checks.bounded,
        source="Cubuk et al. (2019), arXiv:1909.13719",
    ),
    image(
        "pipeline",
        "Pipeline",
        _pipeline,
        "y = x / 127.5 - 1, of its middle",
        lambda c: 2 * CHANNELS,
        sizes=(32, 256),
        resized=True,
        reference=lambda x, c: geometry.center_cropped(x, c) / 127.5 - 1,
        has_format=False,
    ),
    _max_num_bounding_boxes(),
)
