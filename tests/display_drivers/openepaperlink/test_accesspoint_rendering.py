"""How the simulated access point turns JPEGs into payloads: golden vectors, colours, orientation, formats."""

import io
import struct
import zlib

import pytest
from PIL import Image

from display_drivers.openepaperlink.accesspoint.rendering import DataType, Look, decode, render, seen, turned
from display_drivers.openepaperlink.accesspoint.tagtypes import INKS, TAG_TYPES, TagType, TypeFile, read_type

GOLDEN = [
    (0x00, 5776, (0, 0xFF, 32), (2754, 0xFF, 64), "3eab699a13fe45d0"),
    (0x01, 9472, (4480, 0xC0, 32), (15, 0xFF, 64), "bddd1ddc8b70f5d1"),
    (0x27, 4736, (4480, 0xC0, 32), None, "7c880dd372adf756"),
    (0x36, 96000, (0, 0xFF, 32), (47299, 0xFF, 64), "051bf082cd35a179"),
    (0xB1, 8000, (15, 0x03, 32), (3872, 0xFF, 64), "1fb9a0c856b630e0"),
]


def jpeg(image: Image.Image, **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **{"quality": 95, "subsampling": 0} | settings)
    return file.getvalue()


def type_of(hw_type: int) -> tuple[TagType, TypeFile]:
    kind = TAG_TYPES[hw_type]
    read = read_type(kind.to_file())
    assert read is not None
    return kind, read


def golden_image(kind: TagType) -> Image.Image:
    """White; black at the top left; index 2 at the bottom right; index 3 at the bottom left."""
    inks = [INKS[letter] for letter in kind.colours]
    image = Image.new("RGB", (kind.width, kind.height), INKS["W"])
    image.paste(INKS["K"], (0, 0, 16, 2))
    if len(inks) > 2:
        image.paste(inks[2], (kind.width - 8, kind.height - 8, kind.width, kind.height))
    if len(inks) > 3:
        image.paste(inks[3], (0, kind.height - 4, 8, kind.height))
    return image


def solid(colour: tuple[int, int, int]) -> bytes:
    return jpeg(Image.new("RGB", (16, 16), colour))


def index_of(colour: tuple[int, int, int], colours: str = "WKRY", **look: int) -> int:
    """The palette index that a 16x16 image of one colour comes out as."""
    kind = TypeFile(16, 16, 0, 2, {letter: INKS[letter] for letter in colours})
    image = decode(solid(colour))
    assert image is not None
    data = render(image, kind, Look(**look)).data
    return (data[0] & 1) + 2 * (len(data) > 32 and data[32] & 1)


@pytest.mark.parametrize(("hw_type", "size", "first", "second", "version"), GOLDEN)
def test_the_golden_vectors_come_out_exactly(hw_type, size, first, second, version):
    kind, read = type_of(hw_type)
    image = decode(jpeg(golden_image(kind)))
    payload = render(image, read, Look())
    length = kind.width * kind.height // 8
    planes = [payload.data[:length], payload.data[length:]]
    assert (len(payload.data), payload.data_ver) == (size, version)
    for plane, expected in zip(planes, (first, second), strict=True):
        found = next(((at, byte) for at, byte in enumerate(plane) if byte), None)
        bits = sum(byte.bit_count() for byte in plane)
        assert (None if found is None else (*found, bits)) == expected


@pytest.mark.parametrize("hw_type", [0x00, 0x01, 0x27, 0x36, 0xB1])
def test_golden_images_survive_quality_90_and_the_colours_of_boards_without_psram(hw_type):
    kind, read = type_of(hw_type)
    expected = next(row[4] for row in GOLDEN if row[0] == hw_type)
    for image in (decode(jpeg(golden_image(kind), quality=90)), decode(jpeg(golden_image(kind)), psram=False)):
        assert render(image, read, Look()).data_ver == expected


def test_every_ink_finds_its_own_palette_entry():
    assert [index_of(INKS[letter]) for letter in "WKRY"] == [0, 1, 2, 3]


def test_a_grey_pixel_never_turns_red_or_yellow():
    assert index_of((120, 120, 120), "WKR") in {0, 1}
    assert index_of((200, 60, 60), "WKR") == 2


def test_invert_swaps_the_first_two_indices_and_leaves_the_others():
    assert [index_of(INKS[letter], invert=1) for letter in "WKRY"] == [1, 0, 2, 3]


def test_an_image_without_colour_goes_as_one_plane():
    kind, read = type_of(0x01)
    image = Image.new("RGB", (kind.width, kind.height), INKS["K"])
    payload = render(decode(jpeg(image)), read, Look())
    assert (payload.data_type, payload.data) == (DataType.ONE_PLANE, b"\xff" * 4736)


def test_four_colours_make_two_planes_that_overlap_in_the_fourth():
    kind, read = type_of(0x2B)
    payload = render(decode(jpeg(golden_image(kind))), read, Look())
    length = kind.width * kind.height // 8
    first, second = payload.data[:length], payload.data[length:]
    assert payload.data_type == DataType.TWO_PLANES
    assert [sum(byte.bit_count() for byte in plane) for plane in (first, second)] == [32 + 32, 64 + 32]


@pytest.mark.parametrize("hw_type", sorted(TAG_TYPES))
def test_what_the_shopper_sees_is_the_image_that_was_turned_into_memory(hw_type):
    kind = TAG_TYPES[hw_type]
    image = Image.frombytes("L", (kind.width, kind.height), bytes(at % 251 for at in range(kind.width * kind.height)))
    assert seen(turned(image, kind.rotatebuffer), kind.rotatebuffer).tobytes() == image.tobytes()


@pytest.mark.parametrize(("turn", "source"), [(0, "xy"), (1, "y,b-x"), (2, "b-x,c-y"), (3, "c-y,x")])
def test_turns_read_the_pixels_that_the_reference_names(turn, source):
    image = Image.frombytes("L", (4, 4), bytes(range(16)))
    sources = {"xy": lambda x, y: (x, y), "y,b-x": lambda x, y: (y, 3 - x)}
    sources |= {"b-x,c-y": lambda x, y: (3 - x, 3 - y), "c-y,x": lambda x, y: (3 - y, x)}
    out = turned(image, 0, rotate=turn)
    for x in range(4):
        for y in range(4):
            assert out.getpixel((x, y)) == image.getpixel(sources[source](x, y))


def test_a_quarter_turn_of_a_landscape_image_reads_outside_of_it():
    image = Image.new("L", (32, 8), 1)
    out = turned(image, 0, rotate=1)
    assert out.size == (32, 8)
    assert set(out.tobytes()) == {0, 1}


def test_compression_begins_with_the_tags_firmware_and_carries_its_header():
    kind, read = type_of(0x36)
    image = decode(jpeg(golden_image(kind)))
    plain, packed = render(image, read, Look(ver=26)), render(image, read, Look(ver=27))
    (length,) = struct.unpack_from("<I", packed.data)
    inflated = zlib.decompress(packed.data[4:], wbits=12)
    assert (plain.data_type, packed.data_type, packed.data[4]) == (DataType.TWO_PLANES, DataType.ZLIB, 0x48)
    assert inflated == struct.pack("<BHHB", 6, 800, 480, 2) + plain.data
    assert length == len(inflated)
    assert render(image, read, Look(ver=27, psram=False)).data_type == DataType.TWO_PLANES


def test_packed_indices_run_most_significant_first():
    kind = TypeFile(16, 16, 0, 5, {letter: INKS[letter] for letter in "KWYR"})
    assert render(decode(solid(INKS["R"])), kind, Look()).data == b"\xff" * 64
    for bpp, data_type, data in ((3, 0x22, b"\x6d\xb6\xdb" * 32), (4, 0x23, b"\x33" * 128)):
        kind.bpp = bpp
        payload = render(decode(solid(INKS["R"])), kind, Look())
        assert (payload.data_type, payload.data) == (data_type, data)


@pytest.mark.parametrize("dither", [1, 2])
def test_dithering_mixes_grey_from_black_and_white_and_leaves_pure_inks_alone(dither):
    kind = TypeFile(64, 64, 0, 1, {letter: INKS[letter] for letter in "WK"})
    grey = render(decode(jpeg(Image.new("RGB", (64, 64), (128, 128, 128)))), kind, Look(dither=dither)).data
    black = render(decode(jpeg(Image.new("RGB", (64, 64), INKS["K"]))), kind, Look(dither=dither)).data
    assert 0.4 < sum(byte.bit_count() for byte in grey) / (64 * 64) < 0.6
    assert black == b"\xff" * 512


def test_only_baseline_jpegs_in_rgb_or_grey_can_be_decoded():
    image = Image.new("RGB", (16, 16))
    png = io.BytesIO()
    image.save(png, "PNG")
    assert decode(jpeg(image)) is not None
    for data in (b"text", b"", png.getvalue(), jpeg(image, progressive=True), jpeg(image.convert("CMYK"))):
        assert decode(data) is None
    assert decode(jpeg(Image.effect_noise((64, 64), 90).convert("RGB"))[:-200]) is None


def test_the_size_is_the_images_and_not_the_types():
    _, read = type_of(0x01)
    assert len(render(decode(solid(INKS["K"])), read, Look()).data) == 32


def test_a_clock_in_the_image_makes_each_payload_another():
    _, read = type_of(0x01)
    data = jpeg(Image.new("RGB", (296, 128), INKS["W"]))
    stamps = [render(decode(data), read, Look(stamp=at)).data_ver for at in (1.8e9, 1.8e9 + 1)]
    assert stamps[0] != stamps[1]


def test_a_type_file_that_makes_no_sense_is_none():
    assert [read_type(data) for data in (b"{", b"[]", b"{}", b'{"bpp":2}')] == [None] * 4
