"""The roofline of a machine: what each case reached of what was measured to be possible.

`points` selects what is drawn, from rows and runs; `chart` draws it.

Source: Williams, Waterman and Patterson (2009), doi:10.1145/1498765.1498785.
"""
