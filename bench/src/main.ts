/**
 * `bun run bench [w1|w2|w3|w4|rules|w5|log|epochs|alerts|query|kafka …] [--input FILE.ndjson] [--events N]`: each in a process of its own.
 *
 * Without a file it generates one with the project's own generator. Prints each benchmark's JSON line, and beside the
 * figures that have a bound whether they keep it. Never part of the tests: the machine may be shared and noisy.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeSync, openSync, closeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeTransactions } from "@frazil/sim"

const bounds: Readonly<Record<string, ReadonlyArray<readonly [field: string, max: number, unit: string]>>> = {
  w1: [["cpuMicrosPerEvent", 2.2, "µs of CPU an event"]],
  w2: [["cpuMicrosPerEvent", 3.5, "µs of CPU an event"]],
  w3: [["cpuMicrosPerEvent", 3.5, "µs of CPU an event"]],
  w4: [["cpuMicrosPerEvent", 2, "µs of CPU an event"]],
  rules: [["cpuMicrosPerEvent", 3.5, "µs of CPU an event"]],
  w5: [["cpuMicrosPerEvent", 6, "µs of CPU an event"]],
  log: [["logAddsMicros", 2.5, "µs of CPU an event"]],
  lookup: [["lookupMicros", 20, "µs of CPU a lookup, beside the call itself"]],
  epochs: [["cpuPercent", 5, "% more CPU with epochs of 200 ms than with hardly any"]],
  compact: [["cpuMinutesPerGigabyte", 0.77, "minutes of CPU a GB of small files (1.3 GB a minute)"]],
  start: [["firstRowMs", 3000, "ms to the first landed row"]],
  alerts: [
    ["rowP99Ms", 500, "ms from append to alert at 1,000/s, row rules, p99"],
    ["windowP99Ms", 500, "ms from the append that made a window fire to its alert, p99"]
  ],
  query: [
    ["overDuckDbMs", 10, "ms over 1.1 times DuckDB by itself, 10 M rows"],
    ["oldestOverNewest", 1.2, "times the newest snapshot for the oldest of 1,000"]
  ],
  kafka: [
    ["consumeMicros", 2.5, "µs of CPU a record from Kafka into columns (400,000 a CPU-second)"],
    ["landMicros", 8.33, "µs of CPU a record from Kafka into the table (120,000 a CPU-second)"]
  ],
  recovery: [["recoveryMs", 3000, "ms from a restart after kill -9 to the first new output, 1 M keys"]]
}

/** Not run unless named: they need servers. */
const withServers: ReadonlySet<string> = new Set(["kafka"])

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** A file of generated transactions, one a millisecond. */
const generate = (file: string, events: number) => {
  const generator = makeTransactions({ seed: 42 })
  const descriptor = openSync(file, "w")
  const buffer = new Uint8Array(1 << 20)
  let used = 0
  for (let index = 0; index < events; index++) {
    const record = generator.next(1_768_434_300_000 + index)
    if (used + record.length + 1 > buffer.length) {
      writeSync(descriptor, buffer, 0, used)
      used = 0
    }
    buffer.set(record.bytes.subarray(0, record.length), used)
    used += record.length
    buffer[used++] = 10
  }
  writeSync(descriptor, buffer, 0, used)
  closeSync(descriptor)
}

const run = (name: string, file: string): boolean => {
  const child = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), file], { encoding: "utf8" })
  if (child.status !== 0) {
    process.stdout.write(`${name}: failed\n${child.stderr}\n`)
    return false
  }
  process.stdout.write(child.stdout)
  const line = child.stdout.trim().split("\n").at(-1) ?? "{}"
  // printed by the benchmark just run
  const result = JSON.parse(line) as Readonly<Record<string, unknown>>
  const kept = (bounds[name] ?? []).map(([field, max, unit]) => {
    const value = Number(result[field])
    process.stdout.write(`${name}: ${value} ${unit}, at most ${max}: ${value <= max ? "kept" : "MISSED"}\n`)
    return value <= max
  })
  return kept.every(Boolean)
}

const chosen = process.argv.slice(2).filter((word) => word in bounds)
const folder = mkdtempSync(join(tmpdir(), "frazil-bench-"))
const given = option("--input")
const file = given ?? join(folder, "transactions.ndjson")
if (given === undefined) generate(file, Number(option("--events") ?? 2_000_000))
if (!existsSync(file)) throw new Error(`${file} is not there`)
const results = (chosen.length > 0 ? chosen : Object.keys(bounds).filter((each) => !withServers.has(each))).map(
  (name) => run(name, file)
)
rmSync(folder, { recursive: true, force: true })
process.exitCode = results.every(Boolean) ? 0 : 1
