/**
 * From the command to the first landed row, and memory at 1,000 events a second: the real app in a process of its own.
 *
 * usage: bun bench/src/start.ts. Prints one JSON object.
 */
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Catalog } from "@frazil/lake"
import { catalogLayer, dataDirectory } from "@frazil/platform"
import { Effect } from "effect"

const runMs = 20_000
const root = await mkdtemp(join(tmpdir(), "frazil-start-"))
const summaryFile = join(root, "summary.json")
const main = resolve(import.meta.dirname, "../../apps/pipeline/src/main.ts")
const directory = dataDirectory(join(root, "data"))
const args = ["--data", directory.root, "--rate", "1000", "--lake-commit-every", "1s", "--summary", summaryFile]
const startedAt = performance.now()
const child = spawn(process.execPath, [main, ...args], { stdio: "ignore" })
const exited = new Promise((done) => child.once("exit", done))

/** Whether the table has a snapshot with rows; a catalog that is not there yet has none. */
const landed = Effect.gen(function* () {
  const catalog = yield* Catalog
  const { metadata } = yield* catalog.loadTable({ namespace: "transactions", name: "raw" })
  return metadata.snapshots.some((snapshot) => Number(snapshot.summary.get("total-records") ?? 0) > 0)
}).pipe(
  Effect.provide(catalogLayer(directory)),
  Effect.orElseSucceed(() => false)
)

let firstRowMs: number | undefined
while (performance.now() - startedAt < runMs) {
  if (firstRowMs === undefined && (await Effect.runPromise(landed)))
    firstRowMs = Math.round(performance.now() - startedAt)
  await new Promise((done) => setTimeout(done, 25))
}
child.kill("SIGINT")
await exited
const summary: unknown = JSON.parse(await readFile(summaryFile, "utf8"))
process.stdout.write(`${JSON.stringify({ w: "start", firstRowMs, summary })}\n`)
await rm(root, { recursive: true, force: true })
