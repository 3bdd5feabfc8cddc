/**
 * A process that compacts a table, and says what that cost.
 *
 * usage: bun bench/src/lake/CompactOnce.ts DATA. Prints one JSON object.
 */
import { compactTable } from "@frazil/lake"
import { dataDirectory } from "@frazil/platform"
import { Effect } from "effect"
import { tell } from "./Measured.ts"
import { peakRssMb, cpuSeconds, rounded } from "../support/Measure.ts"
import { withLake } from "./Place.ts"
import { table } from "./SixteenColumns.ts"

await withLake(
  dataDirectory(process.argv[2]!),
  Effect.gen(function* () {
    const [started, cpu] = [performance.now(), cpuSeconds()]
    const report = yield* compactTable(table)
    const seconds = (performance.now() - started) / 1000
    const used = cpuSeconds() - cpu
    const gigabytes = report.bytesBefore / 1e9
    tell({
      filesBefore: report.filesBefore,
      filesAfter: report.filesAfter,
      megabytes: Math.round(report.bytesBefore / 1e6),
      seconds: rounded(seconds, 2),
      cpuSeconds: rounded(used, 2),
      cpuMinutesPerGb: rounded(used / 60 / gigabytes, 2),
      gbPerMinute: rounded(gigabytes / (seconds / 60), 2),
      rssPeakMb: peakRssMb()
    })
  })
)
