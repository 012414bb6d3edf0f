"""h_t = a_t h_(t-1) + u_t along the third axis from the end, by a scan.

Neighbours are combined in pairs, the sequence of half the length is solved in the same way, and
what lies between follows from it: two passes over the data in log2(length) steps, with products of
decays only, so that nothing is divided by a decay that has become 0 (Blelloch 1990, "Prefix sums
and their applications", section 1.4).
"""

from __future__ import annotations

from typing import Any


def torch_recurrence() -> Any:
    """A function (decay, update, initial) -> every h_t, to be made outside of traced code.

    Its arguments are a_t (..., seq, m, d), which may have 1 for axes that it is the same along, if
    no gradient is asked for it; u_t (..., seq, m, d); and the state (..., m, d) before the first.
    """
    import torch

    class Recurrence(torch.autograd.Function):
        """The gradient is the same recurrence backwards; a scan's own graph would keep all steps
        of it.
        """

        @staticmethod
        def forward(ctx: Any, decay: Any, update: Any, initial: Any) -> Any:
            states = _scan(decay, update, initial)
            ctx.save_for_backward(decay, states, initial)
            return states

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            decay, states, initial = ctx.saved_tensors
            following = decay.roll(-1, -3).flip(-3)
            none_after = torch.zeros_like(gradient[..., 0, :, :])
            of_update = _scan(following, gradient.flip(-3), none_after).flip(-3)
            of_decay = of_initial = None
            if ctx.needs_input_grad[0]:
                before = torch.cat([initial[..., None, :, :], states[..., :-1, :, :]], -3)
                of_decay = of_update * before
            if ctx.needs_input_grad[2]:
                of_initial = decay[..., 0, :, :] * of_update[..., 0, :, :]
            return of_decay, of_update, of_initial

    return Recurrence.apply


def _scan(decay: Any, update: Any, initial: Any) -> Any:
    import torch

    def every_second(x: Any, start: int) -> Any:
        return x[..., start::2, :, :]

    states = torch.empty_like(update)
    seq = update.shape[-3]
    states[..., 0, :, :] = update[..., 0, :, :] + decay[..., 0, :, :] * initial
    if seq > 1:
        first, second = decay[..., : seq - 1 : 2, :, :], every_second(decay, 1)
        earlier, later = update[..., : seq - 1 : 2, :, :], every_second(update, 1)
        later = _scan(second * first, later + second * earlier, initial)
        every_second(states, 1).copy_(later)
        between = later[..., : (seq - 1) // 2, :, :]
        every_second(states, 2).copy_(every_second(update, 2) + every_second(decay, 2) * between)
    return states


def keras_recurrence(decay: Any, update: Any, initial: Any | None = None) -> Any:
    """Every h_t, of the shapes that `torch_recurrence` says; zeros before the first if not told."""
    from keras import ops

    def combine(left: Any, right: Any) -> Any:
        return left[0] * right[0], left[1] * right[0] + right[1]

    decays, states = ops.associative_scan(combine, (decay, update), axis=len(update.shape) - 3)
    return states if initial is None else states + decays * initial[..., None, :, :]
