"""Run a filter of system calls as the kernel would."""

import struct

RETURN, LOAD, MASK = 0x06, 0x20, 0x54
JUMPS = {
    0x15: lambda value, operand: value == operand,
    0x35: lambda value, operand: value >= operand,
    0x45: lambda value, operand: bool(value & operand),
}


def run_filter(program, data):
    """What the filter decides about a call, which `data` holds as words by their offsets."""
    steps = list(struct.iter_unpack("=HBBI", program))
    at, value = 0, 0
    while True:
        code, when_true, when_false, operand = steps[at]
        at += 1
        if code == RETURN:
            return operand
        if code == LOAD:
            value = data[operand]
        elif code == MASK:
            value &= operand
        else:
            at += when_true if JUMPS[code](value, operand) else when_false
