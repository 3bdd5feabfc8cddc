/**
 * Data and answers from outside the repository: a generator and a counter in Rust, and Python readers of tables.
 *
 * They are needed, so what is missing fails the test: FRAZIL_PEERS and FRAZIL_INFRA say where they are, FRAZIL_CACHE where
 * what is built of them is kept.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Data, Effect, type Scope } from "effect"

class PeerError extends Data.TaggedError("PeerError")<{ readonly message: string }> {}

const shared = resolve(import.meta.dirname, "../../../../../shared")
const infra = process.env["FRAZIL_INFRA"] ?? join(shared, "infra")
const peers = process.env["FRAZIL_PEERS"] ?? join(shared, "peers")
const cache = process.env["FRAZIL_CACHE"] ?? join(tmpdir(), "frazil-cache")

const fail = (message: string) => Effect.fail(new PeerError({ message }))

const demand = (path: string, what: string) =>
  Effect.suspend(() => (existsSync(path) ? Effect.void : fail(`${path} is missing: ${what}`)))

/** Runs a command to its end; what it printed. */
const run = (command: string, args: ReadonlyArray<string>): Effect.Effect<string, PeerError> =>
  Effect.callback((resume) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })
    const [out, err]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (chunk: Buffer) => void out.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => void err.push(chunk))
    child.on("error", ({ message }) => resume(fail(`${command} is needed and cannot be run: ${message}`)))
    child.on("close", (code) => {
      if (code === 0) resume(Effect.succeed(Buffer.concat(out).toString()))
      else resume(fail(`${command} ${args.join(" ")} ended with ${code}: ${Buffer.concat(err).toString()}`))
    })
    return Effect.sync(() => void child.kill())
  })

const sources = ["Cargo.toml", "src/bin/gen.rs", "src/bin/limit.rs"]

/** Builds the generator and the counter once for these sources; the folder of both. */
const buildPeers = Effect.gen(function* () {
  const from = join(peers, "rust")
  const hash = createHash("sha256")
  for (const source of sources) {
    yield* demand(join(from, source), "the data's generator is needed; FRAZIL_PEERS names the folder of peers")
    hash.update(readFileSync(join(from, source)))
  }
  const built = join(cache, `peers-rust-${hash.digest("hex").slice(0, 16)}`)
  if (existsSync(built)) return built
  const folder = `${built}.${process.pid}`
  rmSync(folder, { recursive: true, force: true })
  for (const source of sources) {
    mkdirSync(join(folder, source, ".."), { recursive: true })
    cpSync(join(from, source), join(folder, source))
  }
  yield* run("cargo", ["build", "--release", "--quiet", "--manifest-path", join(folder, "Cargo.toml")])
  // whole or not at all: another run may be building too
  yield* Effect.sync(() => (existsSync(built) ? rmSync(folder, { recursive: true }) : renameSync(folder, built)))
  return built
})

/** What the counter says of a file. */
export interface Counted {
  readonly n: number
  readonly invalid: number
  readonly amount_cents: number
}

/** Writes `count` transactions of the seed to `file`, and counts them by the program that also is the speed limit. */
export const freshTransactions = Effect.fnUntraced(function* (file: string, count: number, seed: number) {
  const built = join(yield* buildPeers, "target/release")
  yield* run(join(built, "gen"), ["--n", String(count), "--seed", String(seed), "--out", file])
  const printed = yield* run(join(built, "limit"), ["W1", file, "sonic"])
  // one JSON object, by workloads.md
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Counted
})

export interface Figures {
  readonly day: string
  readonly partition: number
  readonly rows: number
  /** Different ones. */
  readonly offsets: number
  readonly total: string
  readonly least: number
  readonly most: number
}

/** A snapshot as both readers see it. */
export interface Seen {
  readonly snapshotId: string
  readonly summary: Readonly<Record<string, string>>
  readonly pyiceberg: ReadonlyArray<Figures>
  readonly duckdb: ReadonlyArray<Figures>
  /** Asked for with `rows`: values as text, instants as microseconds since 1970. */
  readonly pyicebergRows?: ReadonlyArray<Readonly<Record<string, string | null>>>
  readonly duckdbRows?: ReadonlyArray<Readonly<Record<string, string | null>>>
}

export interface WatchRequest {
  readonly catalog: string
  readonly warehouse: string
  readonly table: string
  /** Columns: the instant whose day counts, and the one to sum. */
  readonly time: string
  readonly sum: string
  readonly partitions: number
  /** The watching ends when this file is there. */
  readonly until: string
  readonly rows: boolean
}

/** Reads a table with foreign readers until told to end; ready when this ends. */
export const watchTable = Effect.fnUntraced(function* (
  request: WatchRequest
): Effect.fn.Return<Effect.Effect<ReadonlyArray<Seen>, PeerError>, PeerError, Scope.Scope> {
  const command = join(infra, "pylake.sh")
  yield* demand(command, "the foreign readers are needed; FRAZIL_INFRA names the folder of infra scripts")
  const args = ["py", join(import.meta.dirname, "watch_table.py"), JSON.stringify(request)]
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })),
    (each) => Effect.sync(() => void each.kill())
  )
  const [out, err]: [Array<Buffer>, Array<Buffer>] = [[], []]
  child.stderr.on("data", (chunk: Buffer) => void err.push(chunk))
  const closed = new Promise<number | null>((end) => child.on("close", end))
  const ready = new Promise<void>((begin) => {
    child.stdout.on("data", (chunk: Buffer) => {
      out.push(chunk)
      begin()
    })
    void closed.then(() => begin())
  })
  yield* Effect.promise(() => ready)
  return Effect.gen(function* () {
    const code = yield* Effect.promise(() => closed)
    if (code !== 0) return yield* fail(`the foreign readers ended with ${code}: ${Buffer.concat(err).toString()}`)
    const lines = Buffer.concat(out).toString().trim().split("\n").slice(1)
    // printed by the script beside this file
    return lines.map((line) => JSON.parse(line) as Seen)
  })
})
