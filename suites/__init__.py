"""The catalogue: what a layer is, one file a family, all frameworks side by side.

Conventions that every file here keeps:

* Canonical layout: batch first; channels before height and width; sequences are
  (batch, seq, features); kernels are (..., fan_in, fan_out), so that y = x @ kernel.
* Inputs are drawn from N(0, 1) and weights so that nothing saturates.
* Counting: a multiply-add is 2, and a bias starts the sum, so it costs nothing more. Any other
  elementwise operation of the formula is 1 an element, an activation function, exp or division
  included. Products with padding count. Work that is once a feature or once a call is left out.
* Defaults that frameworks set apart (epsilon, momentum, gate order) are set alike and named in
  a comment; whatever both frameworks do by themselves is left to them, so that each runs its
  usual path.
"""
