"""Files of Parquet and Arrow as pyarrow writes them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

WAYS = ("parquet", "feather", "arrows")
"""Parquet, a file of Arrow (which Feather is, too), and a stream of Arrow, by their suffixes."""


def parquet(table: pa.Table, **options: object) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def arrow(table: pa.Table, *, is_stream: bool = False, rows: int = 1 << 20, **options: object) -> bytes:
    """A file or stream of Arrow, in batches of so many rows."""
    file = io.BytesIO()
    write = pa.ipc.new_stream if is_stream else pa.ipc.new_file
    with write(file, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return file.getvalue()


def packed(table: pa.Table, way: str) -> bytes:
    """A table as a file of one of `WAYS`."""
    return parquet(table) if way == "parquet" else arrow(table, is_stream=way == "arrows", rows=2)
