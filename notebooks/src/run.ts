/**
 * `bun run notebooks`: the notebook on Deno's kernel, without a browser, over a sample made for it.
 *
 * The sample is a seeded file through the whole pipeline, the same each time but for snapshot ids and times of commit.
 * Exits 1 when a cell fails, or when its outputs are not what they should be. `--update` keeps them in the notebook.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Schema } from "effect"
import { problemsOfKept, problemsOfRun, Summary } from "./CheckNotebook.ts"
import { runNotebook } from "./Jupyter.ts"
import { format, outputCounts, parseNotebook } from "./Notebook.ts"

const root = join(import.meta.dirname, "../..")
const notebook = join(root, "notebooks/explore.ipynb")
const stepTimeoutMs = 120_000
/** An output that the kernel sends after it has said that a cell has ended is lost to who runs the notebook. */
const runsMax = 4

/** Half a day of transactions, one a second. */
const sample = ["--rate", "1", "--count", "43200", "--seed", "42", "--start", "2026-01-14T00:00:00Z"]

const program = (app: string, ...options: ReadonlyArray<string>): void => {
  const run = spawnSync(process.execPath, ["run", join(root, "apps", app), ...options], {
    encoding: "utf8",
    timeout: stepTimeoutMs
  })
  if (run.status !== 0) throw new Error(`apps/${app} ended with ${run.status}: ${run.error?.message ?? run.stderr}`)
}

const makeSample = (folder: string): { readonly data: string; readonly summary: typeof Summary.Type } => {
  const file = join(folder, "tx.ndjson")
  const data = join(folder, "data")
  const summary = join(folder, "summary.json")
  program("generator", "transactions", ...sample, "--out", file)
  // a landing reads a part of the sample before it looks at the time: several snapshots, however fast the machine
  const options = ["--lake-commit-every", "1ms", "--summary", summary]
  program("pipeline", "--data", data, "--input", `raw-transactions=${file}`, ...options)
  return { data, summary: Schema.decodeUnknownSync(Schema.fromJsonString(Summary))(readFileSync(summary, "utf8")) }
}

/** Runs the notebook until every cell has as many outputs as it is known to have. */
const execute = (folder: string, data: string): { readonly failure: string } | { readonly executed: string } => {
  const output = join(folder, "executed.ipynb")
  const known = outputCounts(parseNotebook(readFileSync(notebook, "utf8")))
  for (let run = 1; ; run++) {
    const failure = runNotebook(notebook, data, output)
    if (failure !== undefined) return { failure }
    const executed = readFileSync(output, "utf8")
    const counts = outputCounts(parseNotebook(executed))
    if (run === runsMax || counts.every((count, cell) => count >= (known[cell] ?? 0))) return { executed }
  }
}

const problemsIn = (folder: string): ReadonlyArray<string> => {
  const { data, summary } = makeSample(folder)
  const outcome = execute(folder, data)
  if ("failure" in outcome) return [outcome.failure]
  const { executed } = outcome
  const fresh = parseNotebook(executed)
  const problems = [...problemsOfRun(fresh, summary)]
  if (executed.includes(folder) || executed.includes(root)) problems.push("its outputs name a path of this machine")
  if (problems.length > 0) return problems
  if (process.argv.includes("--update")) writeFileSync(notebook, format(executed))
  return problemsOfKept(parseNotebook(readFileSync(notebook, "utf8")), fresh)
}

const started = performance.now()
const folder = mkdtempSync(join(tmpdir(), "frazil-notebooks-"))
try {
  const problems = problemsIn(folder)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  for (const problem of problems) console.log(`explore.ipynb: ${problem}`)
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"}  explore.ipynb, ${seconds} s`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
