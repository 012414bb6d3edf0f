"""Pooling: what lies in a window becomes one number. Of 1-D, 2-D and 3-D images alike.

Where the frameworks differ, and what is done about it:

* Rounding. torch rounds the number of windows down (``ceil_mode=False``), as Keras does with
  ``padding="valid"``. torch's ``ceil_mode`` has no counterpart in Keras and is left out.
* Padding. torch pads as much on both sides as it is told. Keras pads with ``padding="same"`` only,
  which rounds up and pads at the end first: of a ResNet's stem (3 x 3, stride 2, size 112) nothing
  before and 1 after, where torch pads 1 and 1. Both can have ``padding`` where the two agree, an
  odd kernel at stride 1 say; elsewhere Keras is unsupported, since a layer that pads is more work.
* What padding counts as. A maximum never takes a padded value. Keras's mean is over what lies in
  the image only; torch's does so with ``count_include_pad=False``, which is not its default.
* Gradients of maxima go to the one largest value of a window, but for 3-D images in TensorFlow on
  the CPU: there to all that are within 1e-5 of it. Windows as close as that are not compared.
* Adaptive windows, [floor(i n / m), ceil((i + 1) n / m)), overlap in both, and are the same ones.
"""

from suites.pooling.adaptive import ADAPTIVE
from suites.pooling.chosen import FRACTIONAL, UNPOOLING
from suites.pooling.fixed import FIXED

__all__ = ["ADAPTIVE", "FIXED", "FRACTIONAL", "UNPOOLING"]
