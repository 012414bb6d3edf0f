"""What to know before choosing a layer: where another configuration is faster, and what it costs.

`matching` says what may be held against each other, `grids`, `directions` and `compiling` are what
it comes to, and `section` is what every layout shows. All are functions of rows.
"""
