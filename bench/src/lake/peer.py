"""What PyIceberg needs for the work of the lake's benchmarks, on tables of our catalog.

usage: peer.py ACTION REQUEST   (REQUEST as JSON). Prints one JSON object; times without the imports.
"""

import hashlib
import json
import re
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog


def catalog_of(request):
    return SqlCatalog("frazil", uri="sqlite:///" + request["catalogFile"], warehouse=request["warehouse"])


def plan(request):
    # before the clock starts, as ours is: what is measured begins with loading the table
    catalog = catalog_of(request)

    def once():
        started = time.perf_counter()
        table = catalog.load_table(request["table"])
        tasks = list(table.scan(row_filter=request["filter"]).plan_files())
        return time.perf_counter() - started, sorted(task.file.file_path for task in tasks)

    (cold, paths), *rest = [once() for _ in range(1 + request["rounds"])]
    warm = sorted(seconds for seconds, _ in rest)[len(rest) // 2]
    return {
        "coldMs": cold * 1000,
        "warmMs": warm * 1000,
        "files": len(paths),
        "hash": hashlib.sha256("\n".join(paths).encode()).hexdigest(),
    }


def append(request):
    """Of a whole table, or of a stream of batches."""
    table = catalog_of(request).load_table(request["table"])
    source = pq.ParquetFile(request["source"])
    started = time.perf_counter()
    schema = table.schema().as_arrow()
    if request["streamed"]:
        batches = (batch.cast(schema) for batch in source.iter_batches())
        table.append(pa.RecordBatchReader.from_batches(schema, batches))
    else:
        table.append(source.read().cast(schema))
    return {"seconds": time.perf_counter() - started}


def rss_peak_mb():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024


request = json.loads(sys.argv[2])
started = time.process_time()
answer = {"plan": plan, "append": append}[sys.argv[1]](request)
answer["cpuSeconds"] = time.process_time() - started
answer["rssPeakMb"] = rss_peak_mb()
print(json.dumps(answer))
