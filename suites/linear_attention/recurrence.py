"""h_t = a_t h_(t-1) + u_t along the third axis from the end, by a scan.

Neighbours are combined in pairs, the sequence of half the length is solved in the same way, and
what lies between follows from it: two passes over the data in log2(length) steps, with products of
decays only, so that nothing is divided by a decay that has become 0 (Blelloch 1990, "Prefix sums
and their applications").
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


def keras_recurrence(decay: Any, update: Any, initial: Any) -> Any:
    """Every h_t, of five axes or four; arguments as `torch_recurrence` has them, seq not broadcast.

    The sequence is padded to a power of two, so that it is pairs throughout. keras.ops has a scan,
    which on TensorFlow loses shapes in branches that XLA does not take.
    """
    from keras import ops

    seq = update.shape[-3]
    beyond = (1 << (seq - 1).bit_length()) - seq
    padding = [(0, 0)] * (len(update.shape) - 3) + [(0, beyond), (0, 0), (0, 0)]
    padded = ops.pad(decay, padding), ops.pad(update, padding)
    states = _scan_pairs(*padded, initial[..., None, :, :])
    return states[..., :seq, :, :]


def _scan_pairs(decay: Any, update: Any, initial: Any) -> Any:
    from keras import ops

    def pairs(x: Any) -> Any:
        *outer, seq, m, d = x.shape
        return ops.unstack(ops.reshape(x, (*outer, seq // 2, 2, m, d)), axis=-3)

    if update.shape[-3] == 1:
        return update + decay * initial
    (first, second), (earlier, later) = pairs(decay), pairs(update)
    later = _scan_pairs(second * first, later + second * earlier, initial)
    before = ops.concatenate([initial, later[..., :-1, :, :]], axis=-3)
    return ops.reshape(ops.stack([earlier + first * before, later], axis=-3), update.shape)
