"""Ways in which files are damaged or forged, as strategies of hypothesis: each takes a real file and gives bytes."""

import io
import json
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st

Bytes = st.SearchStrategy[bytes]

#: Numbers that are too large, too small or just at an edge.
EXTREMES = (0, 1, -1, 2, 127, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 10**12, 2**60, 2**63 - 1, 2**64 - 1)
#: What may stand in a text where a number or a word belongs.
TOKENS = (
    *(
        "0",
        "-1",
        "1.5",
        "1e999",
        "-1e999",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "1e-320",
        "1000000000000",
        "0x" + "f" * 5000,
    ),
    *(
        "9" * 40,
        "9" * 5000,
        "true",
        "null",
        '""',
        '"a"',
        '"../../../etc/passwd"',
        '"/dev/zero"',
        '"\\u0000"',
        "[]",
        "{}",
    ),
    *(
        "[null]",
        '[[1, 2], {"a": 3}]',
        '{"a": {"b": []}}',
        "[" * 3000 + "]" * 3000,
        '"' + "x" * 20_000 + '"',
        "[1" + ", 1" * 3000 + "]",
    ),
)
#: What a pickle may name.
NAMES = (
    *(b"os system", b"builtins eval", b"builtins bytearray", b"torch Tensor", b"torch.storage UntypedStorage"),
    *(
        b"torch._utils _rebuild_sparse_tensor",
        b"torch DoubleStorage",
        b"torch.nn.parameter Parameter",
        b"collections Counter",
    ),
)
_NUMBER = re.compile(rb"-?\d+(\.\d+)?(e[-+]?\d+)?")


def damaged(content: bytes, name: str) -> Bytes:
    """A damaged or forged form of a file, after the ending of its name."""
    kinds: dict[str, Callable[[bytes], Bytes]] = {
        "json": json_text,
        "jsonl": json_lines,
        "journal": json_lines,
        "safetensors": safetensors,
        "pt": checkpoint,
        "png": png,
        "tif": tiff,
        "npy": text_numbers,
        "vti": text_numbers,
        "toml": text_numbers,
    }
    special = kinds.get(name.rpartition(".")[2])
    return st.one_of(special(content), special(content), raw(content)) if special else raw(content)


@st.composite
def raw(draw, content: bytes) -> bytes:
    """Bits flipped, parts cut off, copied, overwritten and put in: of any file."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(changed) - 1)))
        match draw(st.sampled_from(("flip", "cut", "copy", "number", "fill", "text"))):
            case "flip" if changed:
                changed[place] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del changed[place:]
            case "copy":
                begin, length = draw(st.integers(0, len(changed))), draw(st.integers(0, 200))
                changed[place : place + draw(st.sampled_from((0, length)))] = changed[begin : begin + length]
            case "number":
                width, order = draw(st.sampled_from((1, 2, 4, 8))), draw(st.sampled_from(("little", "big")))
                changed[place : place + width] = _packed(draw(st.sampled_from(EXTREMES)), width, order)
            case "fill":
                length = draw(st.integers(0, 64))
                changed[place : place + length] = bytes([draw(st.integers(0, 255))]) * length
            case "text":
                changed[place:place] = draw(st.binary(max_size=20))
    return bytes(changed)


@st.composite
def text_numbers(draw, content: bytes) -> bytes:
    """Numbers in a text, or in the text at the head of a file, that are others."""
    for _ in range(draw(st.integers(1, 3))):
        found = list(_NUMBER.finditer(content, 0, 2000))
        if not found:
            break
        begin, end = draw(st.sampled_from(found)).span()
        token = draw(st.sampled_from(TOKENS)).encode()
        content = content[:begin] + token + content[end:]
        if content.startswith(b"\x93NUMPY") and draw(st.booleans()):  # and its header is as long as it says
            content = (
                content[:8] + struct.pack("<H", min(65535, len(content[10:].partition(b"\n")[0]) + 1)) + content[10:]
            )
    return content


@st.composite
def json_text(draw, content: bytes) -> bytes:
    """Fields of a JSON text that are left out, or hold something else."""
    tree, tokens = json.loads(content), []
    for number in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list(_paths(tree)) or [("",)]))
        parent = tree
        for key in path:
            parent = parent[key]
        if last == "":
            continue
        if draw(st.integers(0, 5)) == 0:
            del parent[last]
        else:
            parent[last] = f"@{number}@"
            tokens.append((f'"@{number}@"', draw(st.sampled_from(TOKENS))))
    text = json.dumps(tree)
    for marker, token in tokens:
        text = text.replace(marker, token)
    return text.encode("utf-8", "surrogatepass")


@st.composite
def json_lines(draw, content: bytes) -> bytes:
    """Lines of JSON of which one is damaged, left out, or there twice."""
    lines = content.splitlines(keepends=True)
    place = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(("damage", "damage", "leave out", "twice"))):
        case "damage":
            lines[place] = draw(json_text(lines[place])) + b"\n"
        case "leave out":
            del lines[place]
        case "twice":
            lines.insert(place, lines[place])
    return b"".join(lines)


@st.composite
def safetensors(draw, content: bytes) -> bytes:
    """A file whose header says something else."""
    length = int.from_bytes(content[:8], "little")
    header, rest = content[8 : 8 + length], content[8 + length :]
    if draw(st.booleans()):  # the text within the header that says what the model is
        fields = json.loads(header)
        for key, text in fields.get("__metadata__", {}).items():
            fields["__metadata__"][key] = draw(json_text(text.encode())).decode("utf-8", "replace")
        header = json.dumps(fields).encode()
    else:
        header = draw(json_text(header))
    claimed = draw(st.sampled_from((len(header),) * 8 + EXTREMES))
    return _packed(claimed, 8, "little") + header + rest


@st.composite
def checkpoint(draw, content: bytes) -> bytes:
    """A zip of torch's whose listing names something else, or that is packed in another way."""
    entries = dict(_entries(content))
    listing = next(name for name in entries if name.endswith("data.pkl"))
    name = draw(st.sampled_from([listing] * 8 + list(entries)))
    entries[name] = draw(pickled(entries[name]) if name == listing and draw(st.integers(0, 3)) else raw(entries[name]))
    if draw(st.integers(0, 9)) == 0:
        del entries[draw(st.sampled_from(list(entries)))]
    buffer = io.BytesIO()
    with zipfile.ZipFile(
        buffer, "w", draw(st.sampled_from((zipfile.ZIP_STORED,) * 5 + (zipfile.ZIP_DEFLATED,)))
    ) as made:
        for name, data in entries.items():
            made.writestr(zipfile.ZipInfo(name), data, made.compression)
    return buffer.getvalue()


@st.composite
def pickled(draw, content: bytes) -> bytes:
    """A pickle whose numbers, words and names are others."""
    codes = _codes(content)
    wanted = draw(
        st.sampled_from(("BININT", "BININT1", "BINUNICODE", "GLOBAL", "GLOBAL", "NEWFALSE", "BINGET", "REDUCE"))
    )
    places = [index for index, (name, _) in enumerate(codes) if name == wanted]
    if not places:
        return draw(raw(content))
    index = draw(st.sampled_from(places))
    begin, end = codes[index][1], codes[index + 1][1]
    match wanted:
        case "BINGET":
            new = b"h" + bytes([draw(st.integers(0, 255))])
        case "GLOBAL":
            new = b"c" + draw(st.sampled_from(NAMES)).replace(b" ", b"\n") + b"\n"
        case "BINUNICODE":
            word = draw(st.sampled_from((b"", b"0", b"1", b"cuda", b"meta", b"../0", b"a" * 300)))
            new = b"X" + struct.pack("<I", len(word)) + word
        case "REDUCE":
            new = draw(st.sampled_from((b"", b"\x81", b"b", b"0")))
        case _:
            number = draw(st.sampled_from((*EXTREMES, 10**11, -(2**40))))
            new = draw(st.sampled_from((b"\x8a\x09" + number.to_bytes(9, "little", signed=True), b"N", b"]", b"\x88")))
    return content[:begin] + new + content[end:]


@st.composite
def png(draw, content: bytes) -> bytes:
    """A PNG file of whose chunks one says something else, is left out or there twice; check sums are right."""
    chunks, place = [], 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    place = draw(st.integers(0, len(chunks) - 1))
    kind, body = chunks[place]
    match draw(st.sampled_from(("damage", "damage", "size", "leave out", "twice", "name"))):
        case "damage":
            chunks[place] = kind, draw(raw(body))
        case "size":
            numbers = [_packed(draw(st.sampled_from(EXTREMES)), 4, "big") for _ in range(2)]
            depth, colour = draw(st.sampled_from((1, 2, 4, 8, 16))), draw(st.sampled_from((0, 2, 3, 4, 6)))
            chunks[0] = chunks[0][0], b"".join(numbers) + bytes([depth, colour]) + chunks[0][1][10:]
        case "leave out":
            del chunks[place]
        case "twice":
            chunks.insert(place, chunks[place])
        case "name":
            other = draw(
                st.sampled_from((b"zTXt", b"iCCP", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"fdAT", b"eXIf", b"iTXt"))
            )
            chunks.insert(place, (other, draw(st.sampled_from((body, b"a\0\0" + zlib.compress(bytes(10**5)))))))
    checked = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return content[:8] + b"".join(checked)


@st.composite
def tiff(draw, content: bytes) -> bytes:
    """A TIFF file (little-endian, not Big) whose tags are others, or say something else."""
    changed = bytearray(content)
    (directory,) = struct.unpack("<I", content[4:8])
    (count,) = struct.unpack("<H", content[directory : directory + 2])
    for _ in range(draw(st.integers(1, 3))):
        entry = directory + 2 + 12 * draw(st.integers(0, count - 1))
        offset, width = draw(st.sampled_from(((0, 2), (2, 2), (4, 4), (8, 4), (8, 2), (8, 4))))
        number = draw(st.one_of(st.sampled_from(EXTREMES), st.integers(0, 400), st.integers(0, len(content))))
        changed[entry + offset : entry + offset + width] = _packed(number, width, "little")
    return bytes(changed)


@cache
def _entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


@cache
def _codes(content: bytes) -> list[tuple[str, int]]:
    """The operations of a pickle, and where they stand."""
    return [(code.name, place) for code, _, place in pickletools.genops(content) if place is not None]


def _packed(number: int, width: int, order: str) -> bytes:
    return (number % 2 ** (8 * width)).to_bytes(width, order)


def _paths(tree, path=()):
    """The places of all that a JSON text holds."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))
