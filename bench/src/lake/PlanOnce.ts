/**
 * A process that has planned nothing yet plans a scan: `cold`; and again and again: `warm`, the median.
 *
 * usage: bun bench/src/lake/PlanOnce.ts DATA byDay|scattered. Prints one JSON object, with the paths' hash.
 */
import { createHash } from "node:crypto"
import { Catalog, planScan } from "@frazil/lake"
import { dataDirectory } from "@frazil/platform"
import { Effect } from "effect"
import { quantile, tell } from "./Measured.ts"
import { peakRssMb, cpuSeconds, rounded } from "../support/Measure.ts"
import { withLake } from "./Place.ts"
import { identifierOf, planFilter, type PlanTable } from "./PlanTables.ts"

const rounds = 9

const [, , data, name] = process.argv
const plan = Effect.gen(function* () {
  const table = yield* (yield* Catalog).loadTable(identifierOf(name as PlanTable)) // lake-plan.ts names one of the two
  return yield* planScan(table, { filter: planFilter })
})

await withLake(
  dataDirectory(data!),
  Effect.gen(function* () {
    const times: Array<number> = []
    const cpus: Array<number> = []
    let paths: ReadonlyArray<string> = []
    for (let round = 0; round <= rounds; round++) {
      const [started, cpu] = [performance.now(), cpuSeconds()]
      const { entries } = yield* plan
      times.push(performance.now() - started)
      cpus.push((cpuSeconds() - cpu) * 1000)
      paths = entries.map(({ dataFile }) => dataFile.filePath).sort()
    }
    tell({
      coldMs: rounded(times[0]!),
      coldCpuMs: rounded(cpus[0]!),
      warmMs: rounded(quantile(times.slice(1), 0.5)),
      files: paths.length,
      hash: createHash("sha256").update(paths.join("\n")).digest("hex"),
      rssPeakMb: peakRssMb()
    })
  })
)
