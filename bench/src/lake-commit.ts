/**
 * Committing to a table of 10,000 files, in SQLite and on local disk: what one append of one file takes, syncs to disk included.
 *
 * usage: bun bench/src/lake-commit.ts [--files N] [--commits N]. Prints one JSON object. Commits that merge manifests are
 * among those measured. `syncMs` is what one synced file costs the disk, the measure of what a commit waits for.
 */
import { mkdirSync, openSync, closeSync, fsyncSync, writeSync } from "node:fs"
import { append, Catalog, commitTable, planScan } from "@frazil/lake"
import { Effect } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { quantile, tell } from "./lake/Measured.ts"
import { numberOf } from "./support/Words.ts"
import { cpuSeconds, rounded } from "./support/Measure.ts"
import { inNewFolder, withLake } from "./lake/Place.ts"
import { schema, table, unreadFile } from "./lake/SixteenColumns.ts"

const files = numberOf("--files", 10_000)
const commits = numberOf("--commits", 500)
const filesOfCommit = 1000
const syncs = 100

/** The median of writing and syncing a small file. */
const syncMs = (folder: string): number => {
  mkdirSync(folder, { recursive: true })
  const times = Array.from({ length: syncs }, (_, i) => {
    const started = performance.now()
    const handle = openSync(`${folder}/sync-${i}`, "w")
    writeSync(handle, "x".repeat(4096))
    fsyncSync(handle)
    closeSync(handle)
    return performance.now() - started
  })
  return quantile(times, 0.5)
}

await inNewFolder((directory) =>
  withLake(
    directory,
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* catalog.createTable({ identifier: table, schema })
      const fileOf = (index: number) => unreadFile(index, 0, [], `${directory.root}/files`)
      for (let from = 0; from < files; from += filesOfCommit) {
        const added = Array.from({ length: Math.min(filesOfCommit, files - from) }, (_, i) => fileOf(from + i))
        yield* commitTable({ table, actions: () => Effect.succeed([append(added)]) })
      }
      const cpu = cpuSeconds()
      const times: Array<number> = []
      for (let index = 0; index < commits; index++) {
        const added = [fileOf(files + index)]
        const started = performance.now()
        yield* commitTable({ table, actions: () => Effect.succeed([append(added)]) })
        times.push(performance.now() - started)
      }
      const cpuMs = ((cpuSeconds() - cpu) * 1000) / commits
      const { entries } = yield* planScan(yield* catalog.loadTable(table))
      if (new Set(entries.map(({ dataFile }) => dataFile.filePath)).size !== files + commits)
        throw new BenchError(`the table has ${entries.length} files instead of ${files + commits}`)
      tell({
        w: "lake-commit",
        files,
        commits,
        p50Ms: rounded(quantile(times, 0.5), 2),
        p99Ms: rounded(quantile(times, 0.99), 2),
        maxMs: rounded(Math.max(...times), 2),
        firstP50Ms: rounded(quantile(times.slice(0, 100), 0.5), 2),
        lastP50Ms: rounded(quantile(times.slice(-100), 0.5), 2),
        cpuMs: rounded(cpuMs, 2),
        syncMs: rounded(syncMs(`${directory.root}/syncs`), 2)
      })
    })
  )
)
