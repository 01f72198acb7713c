"""protocol.py: Calloff's wire by hand, for tests that must not share code with its clients: protobuf, frames, keys.

A message is {field number: value} or such pairs, a list repeats a field; a value is an int, bytes, text or a message again.
Field numbers are those of proto/calloff/v1.
"""
import os
import struct
import time


class Garbled(ValueError):
    """These bytes are not such a message."""


def varint(n):
    """A negative number takes ten bytes, as in protobuf."""
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def take_varint(data, at):
    """(number, where it ends)"""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7


def encode(message):
    out = b""
    for number, values in message.items() if isinstance(message, dict) else message:
        for v in values if isinstance(values, list) else [values]:
            if isinstance(v, int):
                out += varint(number << 3) + varint(v)
            else:
                v = v.encode() if isinstance(v, str) else v if isinstance(v, bytes) else encode(v)
                out += varint(number << 3 | 2) + varint(len(v)) + v
    return out


def decode(data):
    """{field number: [values]}: varints as unsigned numbers, the rest as bytes."""
    found, at, end = {}, 0, len(data)
    try:
        while at < end:
            tag, at = take_varint(data, at)
            if tag & 7 == 0:
                value, at = take_varint(data, at)
            else:
                size, at = take_varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
                value, at = data[at:at + size], at + size
            found.setdefault(tag >> 3, []).append(value)
    except (IndexError, KeyError):
        raise Garbled("not a protobuf message") from None
    if at != end:
        raise Garbled("not a protobuf message")
    return found


def frame(body):
    return struct.pack(">I", len(body)) + body


def new_key():
    """A UUIDv7 of this moment."""
    random = bytearray(os.urandom(10))
    random[0], random[2] = random[0] & 15 | 0x70, random[2] & 63 | 0x80
    return (time.time_ns() // 1_000_000).to_bytes(6, "big") + random
