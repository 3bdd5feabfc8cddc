/**
 * A process that appends the rows of a Parquet file to a table, two threads, and says what that cost.
 *
 * usage: bun bench/src/lake/AppendOnce.ts DATA SOURCE. Prints one JSON object; start-up is not in the seconds.
 */
import { appendRows } from "@frazil/lake"
import { dataDirectory } from "@frazil/platform"
import { Effect } from "effect"
import { tell } from "./Measured.ts"
import { peakRssMb, cpuSeconds, rounded } from "../support/Measure.ts"
import { withLake } from "./Place.ts"
import { table } from "./SixteenColumns.ts"

const [, , data, source] = process.argv
const threads = 2

await withLake(
  dataDirectory(data!),
  Effect.gen(function* () {
    const [started, cpu] = [performance.now(), cpuSeconds()]
    const committed = yield* appendRows(table, `SELECT * FROM read_parquet('${source}')`)
    const seconds = (performance.now() - started) / 1000
    tell({
      rows: Number(committed?.snapshot?.summary.get("added-records")),
      files: Number(committed?.snapshot?.summary.get("added-data-files")),
      seconds: rounded(seconds, 2),
      cpuSeconds: rounded(cpuSeconds() - cpu, 2),
      rssPeakMb: peakRssMb()
    })
  }),
  threads
)
