/**
 * `bun run bench nexmark …`: a query over a file, a file of events, or a table of what every query costs.
 *
 * Data goes to `--output` or stdout, what happened to stderr. A wrong call is a `UsageError`, one line.
 */
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type DurationText, parseDuration } from "@frazil/core"
import { Effect } from "effect"
import { fileLines } from "./FileLines.ts"
import { makeNexmark } from "./Generate.ts"
import { queries } from "./queries/index.ts"
import { runQuery } from "./RunQuery.ts"

/** A call that makes no sense; the message says what to write. */
class UsageError extends Error {}

const names = queries.map(({ name }) => name).join(", ")

const usage = `usage: bun run bench nexmark [QUERY --input FILE.ndjson | generate] [options]
  QUERY                 one of ${names}
    --input FILE        events, one JSON object a line
    --output FILE       final rows as NDJSON (default: stdout)
    --out-of-orderness  how far behind the newest event the watermark is, as in Flink SQL (default: 4s)
  generate              writes events
    --events N          how many (default: 200000)
    --seed S            the same seed, the same bytes (default: 42)
    --rate N            events in a second of event time (default: 10000)
    --out-of-order N    so many events in a row come in another order (default: 1)
    --output FILE       (default: stdout)
  without either        a table of what each query costs; --input, or --events and the other options of generate
`

const flags = ["--input", "--output", "--out-of-orderness", "--events", "--seed", "--rate", "--out-of-order"] as const
type Flag = (typeof flags)[number]
type Options = Partial<Record<Flag, string>>

const isFlag = (word: string): word is Flag => flags.some((flag) => flag === word)

const parse = (words: ReadonlyArray<string>): { readonly action: string | undefined; readonly options: Options } => {
  const options: Options = {}
  let action: string | undefined
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (isFlag(word)) {
      const value = words[++at]
      if (value === undefined) throw new UsageError(`${word} needs a value`)
      options[word] = value
    } else if (word.startsWith("-")) {
      throw new UsageError(`no option ${word}: there are ${flags.join(", ")}`)
    } else if (action === undefined) {
      action = word
    } else {
      throw new UsageError(`one query at a time: found ${action} and ${word}`)
    }
  }
  return { action, options }
}

const whole = (options: Options, flag: Flag, fallback: number): number => {
  const text = options[flag]
  if (text === undefined) return fallback
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${flag} takes a whole number, found ${text}`)
  return Number(text)
}

interface Output {
  readonly write: (text: string) => void
  readonly close: () => void
}

/** Opened before the work, which takes long. */
const openOutput = (options: Options): Output => {
  const file = options["--output"]
  if (file === undefined) return { write: (text) => writeFileSync(1, text), close: () => {} }
  try {
    const descriptor = openSync(file, "w")
    return { write: (text) => writeFileSync(descriptor, text), close: () => closeSync(descriptor) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`${file} cannot be written (${why}): give --output a file that may be written to`)
  }
}

const linesAtOnce = 1000

const generate = (options: Options) => {
  const events = whole(options, "--events", 200_000)
  const outOfOrderGroup = whole(options, "--out-of-order", 1)
  const rate = whole(options, "--rate", 10_000)
  if (rate < 1) throw new UsageError("--rate is at least 1")
  if (outOfOrderGroup < 1 || (outOfOrderGroup % 953 === 0 && outOfOrderGroup > 0)) {
    throw new UsageError("--out-of-order is at least 1, and no multiple of 953")
  }
  const next = makeNexmark({ seed: whole(options, "--seed", 42), rate, outOfOrderGroup })
  const { close, write } = openOutput(options)
  try {
    for (let made = 0; made < events;) {
      const until = Math.min(made + linesAtOnce, events)
      let text = ""
      for (; made < until; made++) text += `${next()}\n`
      write(text)
    }
  } finally {
    close()
  }
}

/** Flink's watermark of the same delay is one millisecond further behind than ours. */
const outOfOrdernessOf = (options: Options): DurationText => {
  const text = options["--out-of-orderness"] ?? "4s"
  const ms = parseDuration(text)
  if (ms === undefined) throw new UsageError(`--out-of-orderness takes a duration such as 4s or 500ms, found ${text}`)
  return `${Math.max(ms - 1, 0)}ms`
}

const inputOf = (options: Options): string => {
  const file = options["--input"]
  if (file === undefined) throw new UsageError("name the events: --input FILE.ndjson")
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new UsageError(`${file} is not there`)
  if (found.isDirectory()) throw new UsageError(`${file} is a folder: give --input a file of events`)
  return file
}

const run = async (name: string, options: Options) => {
  const query = queries.find((each) => each.name === name)
  if (query === undefined) throw new UsageError(`no query ${name}: there are ${names}, and generate`)
  const outOfOrderness = outOfOrdernessOf(options)
  const file = inputOf(options)
  const { close, write } = openOutput(options)
  try {
    const { rows, ...told } = await Effect.runPromise(runQuery(query, fileLines(file), { outOfOrderness }))
    for (let from = 0; from < rows.length; from += linesAtOnce) {
      write(
        rows
          .slice(from, from + linesAtOnce)
          .map((row) => `${row}\n`)
          .join("")
      )
    }
    process.stderr.write(`${JSON.stringify({ query: name, ...told, rows: rows.length })}\n`)
  } finally {
    close()
  }
}

/** Every query in a process of its own. */
const table = (options: Options): boolean => {
  const folder = mkdtempSync(join(tmpdir(), "frazil-nexmark-"))
  try {
    const input = options["--input"] ?? join(folder, "events.ndjson")
    if (options["--input"] === undefined) generate({ ...options, "--output": input })
    else inputOf(options)
    process.stdout.write(`query  rows      CPU µs/event  asks\n`)
    const results = queries.map(({ asks, name }) => {
      const script = join(import.meta.dirname, "../nexmark.ts")
      const words = [script, name, "--input", input, "--output", join(folder, `${name}.ndjson`)]
      const child = spawnSync(process.execPath, words, { encoding: "utf8" })
      if (child.status !== 0) {
        process.stdout.write(`${name.padEnd(7)}failed: ${child.stderr.trim()}\n`)
        return false
      }
      // printed by `run`
      const told = JSON.parse(child.stderr.trim().split("\n").at(-1) ?? "{}") as Readonly<Record<string, unknown>>
      const columns = [
        name.padEnd(7),
        String(told["rows"]).padEnd(10),
        String(told["cpuMicrosPerEvent"]).padEnd(14),
        asks
      ]
      process.stdout.write(`${columns.join("")}\n`)
      return true
    })
    return results.every(Boolean)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Does what the words say; gives the exit code. */
export const nexmark = async (words: ReadonlyArray<string>): Promise<number> => {
  if (words.includes("--help")) {
    process.stdout.write(usage)
    return 0
  }
  try {
    const { action, options } = parse(words)
    if (action === undefined) return table(options) ? 0 : 1
    if (action === "generate") generate(options)
    else await run(action, options)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`nexmark: ${error.message}\n`)
    return 1
  }
}
