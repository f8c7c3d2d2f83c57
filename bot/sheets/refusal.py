"""Why a whole file cannot be used. Rows have verdicts of their own."""

from __future__ import annotations

from typing import Any

FILE_BYTES_MAX = 5 * 2**20
UNPACKED_BYTES_MAX = 50 * 2**20  # a workbook that grows beyond this is none of ours
ROWS_MAX = 20_000
COLUMNS_MAX = 60
CELL_MAX = 500  # characters


class Refusal(Exception):
    """The file is refused as a whole. `why` names the words in `sheets.toml`: `sheets.file_` and this name."""

    def __init__(self, why: str, **values: Any) -> None:
        super().__init__(why)
        self.why, self.values_ = why, values
