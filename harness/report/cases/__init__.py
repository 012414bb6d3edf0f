"""Each case by itself: what its samples look like, its passes, its memory, and how to repeat it.

`samples` reads the frame of samples, `choice` says of which cases they are drawn, `chart` draws
them, and `section` is what a page holds.
"""
