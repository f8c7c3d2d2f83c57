"""Cut the font of the charts out of the full Noto Sans CJK. Needs fonttools; docs/fonts.md says how to run it."""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

TARGET = Path(__file__).with_name("NotoSansCJKsc-Regular-subset.otf")
FACE = "Noto Sans CJK SC"


def characters() -> set[int]:
    """Latin, punctuation, everything in GB 2312, and all common Han: names need more than GB 2312."""
    wanted = set(range(0x20, 0x7F)) | set(range(0xA0, 0x180)) | set(range(0x2010, 0x2040))
    wanted |= set(range(0x4E00, 0xA000)) | set(range(0xFF01, 0xFF5F)) | {0x2605, 0x2606, 0x3007, 0x3400, 0x4DAE}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                wanted.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # the code has holes
    return wanted


def build(source: Path, target: Path = TARGET) -> int:
    """Write the subset of the face in the collection `source`; return its size in bytes."""
    with TTCollection(str(source), lazy=True) as collection:
        font = next(one for one in collection.fonts if one["name"].getDebugName(4) == FACE)
        options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
        # The forms of other languages and vertical text would double the file; the charts need neither.
        options.drop_tables += ["BASE", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
        options.name_languages = [0x409]
        options.notdef_outline = True
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=characters())
        cutter.subset(font)
        font.recalcTimestamp = False  # the same source gives the same bytes
        font.save(str(target))
    return target.stat().st_size


if __name__ == "__main__":
    sys.stdout.write(f"{TARGET.name}: {build(Path(sys.argv[1]))} bytes\n")
