/**
 * Planning a scan of a table of 100,000 files by a partition and bounds, beside PyIceberg.
 *
 * usage: bun bench/src/lake-plan.ts [--files N]. Prints one JSON object. Cold: a new process that has read no metadata yet,
 * loading the table included, starting up and opening the catalog not; files are in the system's cache. Both plan the same files, or it fails.
 */
import { Effect } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { runOwn, tell } from "./lake/Measured.ts"
import { numberOf } from "./support/Words.ts"
import { rounded } from "./support/Measure.ts"
import { inNewFolder, withLake } from "./lake/Place.ts"
import { identifierOf, makePlanTable, planFilterText, type PlanTable } from "./lake/PlanTables.ts"
import { askPyIceberg } from "./lake/PyIceberg.ts"

const files = numberOf("--files", 100_000)
const names: ReadonlyArray<PlanTable> = ["byDay", "scattered"]

await inNewFolder(async (directory) => {
  await withLake(
    directory,
    Effect.forEach(names, (name) => makePlanTable(name, files, `${directory.root}/${name}`))
  )
  const figures = names.map((name) => {
    // the fastest of a few: what else the machine does only adds
    const colds = Array.from({ length: 3 }, () => runOwn("PlanOnce.ts", directory.root, name))
    const ours = colds.reduce((best, each) => (Number(each["coldMs"]) < Number(best["coldMs"]) ? each : best))
    const { name: tableName, namespace } = identifierOf(name)
    const theirs = askPyIceberg(directory, "plan", {
      table: `${namespace}.${tableName}`,
      filter: planFilterText,
      rounds: 1
    })
    if (ours["hash"] !== theirs["hash"] || Number(ours["files"]) === 0)
      throw new BenchError(`${name}: we plan ${String(ours["files"])} files, PyIceberg ${String(theirs["files"])}`)
    const over = (kind: string) => rounded(Number(ours[kind]) / Number(theirs[kind]), 3)
    return [
      [`${name}Files`, Number(ours["files"])],
      [`${name}ColdMs`, Number(ours["coldMs"])],
      [`${name}ColdCpuMs`, Number(ours["coldCpuMs"])],
      [`${name}WarmMs`, Number(ours["warmMs"])],
      [`${name}PyIcebergColdMs`, rounded(Number(theirs["coldMs"]))],
      [`${name}PyIcebergWarmMs`, rounded(Number(theirs["warmMs"]))],
      [`${name}ColdOver`, over("coldMs")],
      [`${name}WarmOver`, over("warmMs")],
      [`${name}RssPeakMb`, Number(ours["rssPeakMb"])]
    ] as const
  })
  tell({ w: "lake-plan", files, ...Object.fromEntries(figures.flat()) })
})
