"""Each case by itself: what its samples look like, its passes, its memory, and how to repeat it.

`samples` reads the frame of samples and says what of it is drawn; `strip` draws those of any case
small, `chart` in a figure those that `choice` names; and `section` is what a page holds.
"""
