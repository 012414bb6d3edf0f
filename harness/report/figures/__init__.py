"""Drawings of the report that stand alone, for a notebook, a paper or a slide.

They are drawn by what draws the page. `dress` puts around a drawing what the page says beside it,
`drawn` does so for each kind, `whole` gives those of a whole report, and `files` writes them.
"""
