"""XTC and TRR files of GROMACS.

The library of MDAnalysis decodes frames without checking them: one flipped bit
crashes the interpreter. `XdrFile` therefore validates every frame first. It
finds the offset of each frame in the same pass, so no offset files are needed.
"""

from __future__ import annotations

import struct
from typing import IO, Any

import numpy as np
from jaxtyping import Float64
from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile
from MDAnalysis.lib.mdamath import triclinic_box

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, check_atom_count

__all__ = ["XdrFile"]

_ANGSTROM_PER_NM = 10.0
_XTC_MAGIC, _TRR_MAGIC = 1995, 1993
_XTC_HEADER, _XTC_PACKED_HEADER, _TRR_HEADER = 56, 36, 84
"""Bytes of an XTC header, of the header of packed coordinates after it, and of the longest TRR header."""
_MAX_UNPACKED_ATOMS = 9
"""XTC stores the coordinates of so few atoms as floats."""
_MIN_SIZE_INDEX, _MAX_SIZE_INDEX = 9, 72
"""Valid indices of the table of XTC with the sizes of steps between close atoms.

Writers exceed the end of the table by one where atoms are so far apart that
none are close.
"""
_MAX_COMBINED_RANGE = 0xFFFFFF
"""Ranges of coordinates up to this are packed into one number for x, y and z."""
_MIN_BYTES_PER_ATOM = 0.05
"""What an atom takes in the densest packing."""


class _DamagedError(Exception):
    """The bytes are not a valid frame."""


class XdrFile:
    """The frames of an XTC or TRR file.

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file does not begin with a frame of its format.
    """

    def __init__(self, file: InputFile) -> None:
        self.path, self._file = file.path, file
        self._xtc = file.suffix == ".xtc"
        self.truncated = False
        self.n_atoms = 0
        self._times: list[float] = []
        self._n_without_positions = 0
        offsets = self._scan()
        self.n_frames = len(offsets)
        if not offsets:
            if self._n_without_positions:
                raise InputError(f"{self.path}: no frame has positions", "write positions to the trajectory")
            raise InputError(f"{self.path}: no whole frame", "the file is truncated; copy it again")
        try:
            self._reader: Any = (XTCFile if self._xtc else TRRFile)(str(file.readable))
            # The library takes the beginning of the file for its frame 0, whatever its offset.
            self._reader.set_offsets(np.array([0, *offsets], dtype=np.int64))
        except Exception as error:  # the library raises various types
            raise self._damaged(first_line(error)) from None
        self._offsets = offsets
        count = self._n_without_positions
        frames = "frame" if count == 1 else "frames"
        text = f"passed over: {count} {frames} without positions in {self.path.name}"
        self.notes: tuple[str, ...] = (text,) if count else ()

    def read(self, index: int) -> Frame:
        """Read one frame."""
        try:
            if self._xtc:
                self._check_packing(index)
            self._reader.seek(index + 1)
            frame = self._reader.read()
        except Exception as error:
            raise self._damaged(first_line(error), f": frame {index}") from None
        positions = np.array(frame.x, dtype=np.float64) * _ANGSTROM_PER_NM
        vectors = np.array(frame.box, dtype=np.float64) * _ANGSTROM_PER_NM
        time = float(frame.time)
        box = triclinic_box(*vectors) if np.isfinite(vectors).all() else None
        return Frame(
            positions.astype(np.float32), time if np.isfinite(time) else float(index), clean_box(box)
        )

    def read_times(self) -> Float64[np.ndarray, "F"]:
        """Return the times of all frames with positions."""
        times = np.array(self._times)
        return np.where(np.isfinite(times), times, np.arange(self.n_frames))

    def _scan(self) -> list[int]:
        """Return the offsets of all complete frames with positions; only headers are read."""
        offsets: list[int] = []
        self._end, size = 0, self._file.size
        with self._file.readable.open("rb") as handle:
            while self._end < size:
                handle.seek(self._end)
                try:
                    length, time = self._xtc_header(handle) if self._xtc else self._trr_header(handle)
                except struct.error:
                    self.truncated = True  # within a header
                    return offsets
                except _DamagedError as error:
                    raise self._damaged(str(error), f": frame {len(offsets)}") from None
                if self._end + length > size:
                    self.truncated = True
                    return offsets
                if time is None:
                    self._n_without_positions += 1
                else:
                    offsets.append(self._end)
                    self._times.append(time)
                self._end += length
        return offsets

    def _xtc_header(self, handle: IO[bytes]) -> tuple[int, float]:
        """Validate the header of an XTC frame and return the bytes of the frame and its time."""
        head = handle.read(_XTC_HEADER)
        magic, n_atoms = struct.unpack(">2i", head[:8])
        (time,) = struct.unpack(">f", head[12:16])
        (again,) = struct.unpack(">i", head[52:56])
        if magic != _XTC_MAGIC or again != n_atoms:
            raise _DamagedError("no XTC header")
        self._check_count(n_atoms, _MIN_BYTES_PER_ATOM)
        if n_atoms <= _MAX_UNPACKED_ATOMS:
            return _XTC_HEADER + 12 * int(n_atoms), float(time)
        packed = handle.read(_XTC_PACKED_HEADER)
        precision, *limits, index, n_bytes = struct.unpack(">f8i", packed)
        sizes = [high - low + 1 for low, high in zip(limits[:3], limits[3:], strict=True)]
        if not precision > 0 or not all(0 < size < 1 << 31 for size in sizes):
            raise _DamagedError("impossible range of coordinates")
        # The library allocates this much and does not check the index or the size itself.
        if not _MIN_SIZE_INDEX <= index <= _MAX_SIZE_INDEX + 1 or not 0 < n_bytes <= 12 * n_atoms:
            raise _DamagedError("impossible packing")
        return _XTC_HEADER + _XTC_PACKED_HEADER + int(n_bytes + 3) // 4 * 4, float(time)

    def _trr_header(self, handle: IO[bytes]) -> tuple[int, float | None]:
        """Validate the header of a TRR frame and return the bytes of the frame and its time.

        The time is None where the frame has no positions.
        """
        head = handle.read(_TRR_HEADER)
        magic, slen, text = struct.unpack(">3i", head[:12])
        if magic != _TRR_MAGIC or (slen, text) != (13, 12) or head[12:24] != b"GMX_trn_file":
            raise _DamagedError("no TRR header")
        sizes = struct.unpack(">10i", head[24:64])
        (n_atoms,) = struct.unpack(">i", head[64:68])
        self._check_count(n_atoms, 12)
        ir, e, box, virial, pressure, top, sym, *vectors = sizes
        matrices = (box, virial, pressure)
        float_bytes = {36: 4, 72: 8, 12 * n_atoms: 4, 24 * n_atoms: 8}.get(max(vectors) or max(matrices))
        if float_bytes is None or ir or e or top or sym:
            raise _DamagedError("impossible sizes")
        if any(part not in (0, 9 * float_bytes) for part in matrices):
            raise _DamagedError("impossible sizes")
        if any(part not in (0, 3 * float_bytes * n_atoms) for part in vectors):
            raise _DamagedError("impossible sizes")
        # Step and an unused integer, then time and lambda in the same precision.
        length = 68 + 8 + 2 * float_bytes + int(sum(matrices) + sum(vectors))
        (time,) = struct.unpack(">f" if float_bytes == 4 else ">d", head[76 : 76 + float_bytes])
        return length, float(time) if vectors[0] else None

    def _check_count(self, n_atoms: int, bytes_per_atom: int | float) -> None:
        if self.n_atoms == 0:
            check_atom_count(self._file, n_atoms, bytes_per_atom)
            self.n_atoms = n_atoms
        if n_atoms != self.n_atoms:
            raise _DamagedError(f"{n_atoms} atoms, {self.n_atoms} before")

    def _check_packing(self, index: int) -> None:
        """Validate the packed coordinates of one frame without unpacking them."""
        if self.n_atoms <= _MAX_UNPACKED_ATOMS:
            return
        start = self._offsets[index] + _XTC_HEADER
        with self._file.readable.open("rb") as handle:
            handle.seek(start)
            head = handle.read(_XTC_PACKED_HEADER)
            _, *limits, small, n_bytes = struct.unpack(">f8i", head)
            data = handle.read(n_bytes)
        sizes = [high - low + 1 for low, high in zip(limits[:3], limits[3:], strict=True)]
        if any(size > _MAX_COMBINED_RANGE for size in sizes):
            bits_per_atom = sum(size.bit_length() for size in sizes)
        else:
            bits_per_atom = (sizes[0] * sizes[1] * sizes[2]).bit_length()
        _check_packed_groups(data, self.n_atoms, bits_per_atom, small)

    def _damaged(self, reason: str, where: str = "") -> InputError:
        return InputError(
            f"{self.path}{where} cannot be read ({reason})",
            "the file is truncated, damaged, or of another format than its suffix",
        )


def _check_packed_groups(data: bytes, n_atoms: int, bits_per_atom: int, size_index: int) -> None:
    """Walk over the groups of packed atoms: one of ``bits_per_atom``, a flag, and a run of close ones.

    Raises
    ------
    _DamagedError
        Where the library would read beyond its table or the data.
    """
    bit, done, run, end = 0, 0, 0, 8 * len(data)
    padded = data + b"\0\0"
    while done < n_atoms:
        bit += bits_per_atom
        done += 1
        if bit >= end:
            raise _DamagedError("packed coordinates end too soon")
        byte, used = bit >> 3, bit & 7
        window = padded[byte] << 8 | padded[byte + 1]
        change = 0
        if window >> (15 - used) & 1:
            coded = window >> (10 - used) & 31
            bit += 6
            change = coded % 3 - 1
            run = coded // 3
        else:
            bit += 1
        if run and not _MIN_SIZE_INDEX <= size_index <= _MAX_SIZE_INDEX:
            raise _DamagedError("damaged packing")
        done += run
        bit += run * size_index
        size_index += change
        if done > n_atoms or bit > end or not _MIN_SIZE_INDEX - 1 <= size_index <= _MAX_SIZE_INDEX + 1:
            raise _DamagedError("damaged packing")
