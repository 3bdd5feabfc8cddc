/**
 * What a person gets who asks for something that cannot be, or whose data directory is damaged, taken or full: one clear
 * line, an exit code that is not 0, and nothing lost.
 */
import { spawnSync } from "node:child_process"
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { jobRunning } from "@frazil/connect"
import { type Expected, expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Summary } from "../src/Summary.ts"
import { assertLeftBehind } from "./support/LeftBehind.ts"
import { type Ended, runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, type Place, runIn } from "./support/PipelineRun.ts"

const bytes = makeCorpus({ seed: 8, lines: 300, longLineBytes: [] })
const expected = expectRawTransactions(bytes)

const args = (place: Place, file = place.file) => ["--data", place.data, "--input", `raw-transactions=${file}`]

/** One line that says it, for a person: no stack, no second opinion. */
const assertRefused = (ended: Ended, says: RegExp, what = "") => {
  assert.strictEqual(ended.code, 1, ended.lines.join("\n"))
  assert.strictEqual(ended.errors.length, 1, ended.lines.join("\n"))
  assert.match(ended.errors[0] ?? "", says, what)
  assert.strictEqual(ended.lines.at(-1), ended.errors[0])
  assert.isFalse(
    ended.lines.some((line) => /^\s+at |bug in frazil/.test(line)),
    ended.lines.join("\n")
  )
}

describe("a command that makes no sense", () => {
  const cases: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>, says: RegExp]> = [
    ["a file that is not there", ["--input", "raw-transactions=missing.ndjson"], /missing\.ndjson cannot be read/],
    ["a folder as its file", ["--input", "raw-transactions=."], /not a regular file/],
    [
      "an unknown topic",
      ["--input", "nothing=input.ndjson"],
      /no job of this run takes topic nothing; topics are raw-transactions/
    ],
    ["a duration that is none", ["--epoch", "never"], /--epoch.*500ms, 30s, 5m, 2h or 3d/],
    ["a rate that is no number", ["--rate", "fast"], /--rate.*number/],
    ["a rate below 0", ["--rate", "-5"], /rate must be .* from 0/],
    ["a log of another kind", ["--log", "pulsar://localhost:6650"], /--log.*"embedded", or kafka:/],
    ["a log without a port", ["--log", "kafka://localhost"], /--log.*"embedded", or kafka:/],
    [
      "a log where nobody listens",
      ["--log", "kafka://127.0.0.1:1"],
      /Kafka at 127\.0\.0\.1:1 cannot be reached .*ECONNREFUSED.*--log/
    ],
    ["a catalog that is none", ["--catalog", "ftp://localhost:8181"], /--catalog.*"sqlite"/],
    ["an unknown option", ["--frobnicate", "3"], /--frobnicate/],
    [
      "a file in the place of its data directory",
      ["--data", "raw-transactions.ndjson", "--count", "1"],
      /raw-transactions\.ndjson/
    ],
    ["a data directory that cannot be made", ["--data", "/proc/frazil", "--count", "1"], /\/proc\/frazil/]
  ]
  for (const [what, given, says] of cases) {
    it.live(`is refused: ${what}`, () =>
      Effect.gen(function* () {
        const place = yield* makePlace(bytes)
        const data = given.includes("--data") ? [] : ["--data", place.data]
        assertRefused(yield* runPipelineProcess({ args: [...data, ...given], cwd: place.folder }), says)
        assert.deepStrictEqual(readFileSync(place.file), Buffer.from(bytes))
      })
    )
  }

  it.live("is refused: a rule that does not type-check, with file, line and what was expected", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      const rule = ["id: r", "version: 1", "description: d", "severity: low", "on: raw-transactions", "kind: row"]
      writeFileSync(join(place.folder, "r.yaml"), [...rule, "when: amount > country", 'message: "m"', ""].join("\n"))
      const options = [...args(place), "--rules", "r.yaml"]
      const ended = yield* runPipelineProcess({ args: options, cwd: place.folder })
      assert.strictEqual(ended.code, 1, ended.lines.join("\n"))
      assert.deepStrictEqual(ended.lines.slice(0, 3), [
        "error: the rules in r.yaml cannot be used: 1 problem",
        "r.yaml:7:7: when: a decimal of scale 2 cannot be compared with a text: write the number without quotes, or string(…) around it",
        "    amount > country"
      ])
      assert.isFalse(existsSync(place.data))
    })
  )
})

describe("a data directory that has been run", () => {
  it.live("is left as it is by the same command, which exits 0 with the same summary", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      const tables: Array<Summary["tables"]> = []
      for (const _ of [1, 2]) {
        const summary = join(place.folder, "summary.json")
        const { code, lines } = yield* runPipelineProcess({ args: [...args(place), "--summary", summary] })
        assert.strictEqual(code, 0, lines.join("\n"))
        // written by the run just before
        const written = JSON.parse(readFileSync(summary, "utf8")) as Summary
        assert.strictEqual(written.jobs[0]?.in, expected.lines)
        tables.push([...written.tables].sort((a, b) => (a.table < b.table ? -1 : 1)))
      }
      assert.deepStrictEqual(tables[0], tables[1])
      yield* assertLeftBehind(place.data, expected)
    })
  )

  it.live("refuses other input, finished or not, and goes on with its own", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      yield* runIn(place)
      const other = join(place.folder, "other.ndjson")
      const changes: ReadonlyArray<readonly [RegExp, Uint8Array]> = [
        [/has grown/, Buffer.concat([bytes, Buffer.from("\n{}\n")])],
        [/it has only/, bytes.subarray(0, bytes.length / 2)],
        [/not the same/, bytes.map((byte, at) => (at === 1_000 ? byte ^ 1 : byte))]
      ]
      for (const [says, content] of changes) {
        writeFileSync(other, content)
        const ended = yield* runPipelineProcess({ args: args(place, other) })
        assertRefused(ended, /was fed from other content/)
        assert.match(ended.errors[0] ?? "", says)
      }
      yield* assertLeftBehind(place.data, expected)
    })
  )

  it.live("refuses other input while its own is not finished", () =>
    Effect.gen(function* () {
      // two epochs of the feed: lines of 100 kB, 4 MB an epoch
      const long = makeCorpus({ seed: 9, lines: 50, longLineBytes: Array.from({ length: 45 }, () => 100_000) })
      const place = yield* makePlace(long)
      const stop = (name: string) => (name === "after-epoch-commit" ? Effect.die("stopped") : Effect.void)
      yield* Effect.exit(runIn(place, { hit: stop }))
      const other = join(place.folder, "other.ndjson")
      writeFileSync(
        other,
        long.map((byte, at) => (at === 100 ? byte ^ 1 : byte))
      )
      const ended = yield* runPipelineProcess({ args: args(place, other) })
      assertRefused(ended, /was fed from other content .* unfinished/)
      yield* runIn(place)
      yield* assertLeftBehind(place.data, expectRawTransactions(long))
    })
  )

  it.live("runs a job once: a second process stops with one line, the first is unharmed", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      // without an end, so that the first cannot be through before the second has come to ask
      const given = ["--data", place.data, "--rate", "200", "--seed", "1", "--no-gateway"]
      const first = yield* startPipeline({ args: given })
      while (!(yield* jobRunning({ job: "transactions", dataDirectory: place.data }))) yield* Effect.sleep(20)
      const second = yield* runPipelineProcess({ args: given })
      assertRefused(second, /job transactions is already running on .*--data/)
      assert.isTrue(first.running())
      first.child.kill("SIGTERM")
      const { code, lines } = yield* first.ended
      assert.strictEqual(code, 0, lines.join("\n"))
      assert.match(lines.join("\n"), /transactions: [0-9,]+ records in = [0-9,]+ passed \+ 0 to dead-letter/)
    })
  )

  it.live("stops cleanly by a signal, says what it came to, and goes on from there", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      for (const count of [undefined, 4000]) {
        const more = count === undefined ? ["--no-gateway"] : ["--count", String(count)]
        const pipeline = yield* startPipeline({ args: ["--data", place.data, "--rate", "500", "--seed", "1", ...more] })
        if (count === undefined) {
          while (!(yield* jobRunning({ job: "transactions", dataDirectory: place.data }))) yield* Effect.sleep(20)
          // once it has committed something there is something to tell
          while (!hasCommitted(join(place.data, "log.db"), "transactions")) yield* Effect.sleep(50)
          pipeline.child.kill("SIGTERM")
        }
        const { code, lines } = yield* pipeline.ended
        assert.strictEqual(code, 0, lines.join("\n"))
        assert.deepStrictEqual(
          lines.filter((line) => line.startsWith("error")),
          []
        )
        assert.match(lines.join("\n"), /records in = /)
        if (count !== undefined) assert.include(lines.join("\n"), "transactions: 4,000 records in = 4,000 passed")
      }
    })
  )
})

/** Writes noise over a part of a file. */
const spoil = (file: string, from: number, length: number) => {
  const handle = openSync(file, "r+")
  try {
    writeSync(handle, Buffer.alloc(length, 0xa5), 0, length, from)
  } finally {
    closeSync(handle)
  }
}

const hasCommitted = (file: string, uid: string): boolean => {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare("select 1 from shard where uid = ? and epoch > 0").get(uid) !== undefined
  } catch {
    // locked, or its tables are still being made
    return false
  } finally {
    db.close()
  }
}

const inCatalog = (file: string, sql: string) => {
  const db = new DatabaseSync(file)
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

describe("a damaged data directory", () => {
  const log = (data: string) => join(data, "log.db")
  const catalog = (data: string) => join(data, "catalog.db")
  const text = "this is a letter to a friend and not at all a database. ".repeat(40)
  const damages: ReadonlyArray<readonly [what: string, damage: (data: string) => void, says: RegExp]> = [
    ["a log that is a text", (data) => writeFileSync(log(data), text), /log\.db is not a log of frazil/],
    ["a catalog that is a text", (data) => writeFileSync(catalog(data), text), /catalog\.db is no SQLite database/],
    ["a log that was cut off", (data) => truncateSync(log(data), statSync(log(data)).size / 2), /log\.db/],
    ["a catalog that was cut off", (data) => truncateSync(catalog(data), 5_000), /catalog\.db is damaged/],
    ["noise in the log", (data) => spoil(log(data), 3 * 8_192, 5 * 8_192), /log\.db is damaged/],
    ["noise in the catalog", (data) => spoil(catalog(data), 4_096, 4_096), /catalog\.db/],
    ["a log that is another program's", (data) => cpSync(catalog(data), log(data)), /log\.db/],
    ["a log that is gone", (data) => rmSync(log(data)), /was landed from a topic .* restore/],
    ["a catalog that is gone", (data) => rmSync(catalog(data)), /is not in the catalog any more.* restore/],
    [
      "a table that was dropped",
      (data) => inCatalog(catalog(data), "DELETE FROM iceberg_tables WHERE table_name = 'raw'"),
      /table transactions\.raw is not in the catalog any more.* restore/
    ],
    [
      "a table that was rolled back to its creation",
      (data) =>
        inCatalog(
          catalog(data),
          "UPDATE iceberg_tables SET metadata_location = previous_metadata_location WHERE table_name = 'raw'"
        ),
      /table transactions\.raw.*restore/
    ]
  ]
  const files = ["log.db", "catalog.db"]

  it.live("is not run on, and not made worse: with the right files back, it is", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      yield* runIn(place)
      const backup = join(place.folder, "backup")
      mkdirSync(backup)
      for (const name of files) cpSync(join(place.data, name), join(backup, name))
      for (const [what, damage, says] of damages) {
        damage(place.data)
        const before = files.map((name) => readIfThere(join(place.data, name)))
        const ended = yield* runPipelineProcess({ args: args(place) })
        assertRefused(ended, says, what)
        // what is damaged may be all there is: it is not written over
        const after = files.map((name) => readIfThere(join(place.data, name)))
        for (const [index, name] of files.entries()) {
          if (new RegExp(`\\b${name.replace(".db", "")}\\b`).test(what) && !what.endsWith("gone")) {
            assert.isTrue(before[index]?.equals(after[index] ?? Buffer.alloc(0)), `${name} was changed: ${what}`)
          }
        }
        for (const name of files) {
          for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(join(place.data, name + suffix), { force: true })
          cpSync(join(backup, name), join(place.data, name))
        }
      }
      const again = yield* runPipelineProcess({ args: args(place) })
      assert.strictEqual(again.code, 0, again.lines.join("\n"))
      yield* assertLeftBehind(place.data, expected)
    })
  )
})

const readIfThere = (file: string) => (existsSync(file) ? readFileSync(file) : undefined)

/** A file system of its own, as large as told; only root can have one. */
const mounted = (path: string, bytesMax: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(path, { recursive: true })
      const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytesMax}`, "tmpfs", path])
      assert.strictEqual(mount.status, 0, String(mount.stderr))
      return { grow: (to: number) => void spawnSync("mount", ["-o", `remount,size=${to}`, path]) }
    }),
    () => Effect.sync(() => void spawnSync("umount", [path]))
  )

const canMount = process.platform === "linux" && process.getuid?.() === 0

describe("a full disk", () => {
  const large: { readonly bytes: Uint8Array; readonly expected: Expected } = (() => {
    const made = makeCorpus({ seed: 10, lines: 5_000, longLineBytes: [] })
    return { bytes: made, expected: expectRawTransactions(made) }
  })()

  // from "nothing can be made" over the log's and the lake's files to the last commit
  for (const kilobytes of [64, 1_800, 2_900]) {
    it.live.skipIf(!canMount)(`of ${kilobytes} kB stops the run with one line; with room it goes on (needs root)`, () =>
      Effect.gen(function* () {
        const place = yield* makePlace(large.bytes)
        const disk = yield* mounted(place.data, kilobytes * 1024)
        const command = { args: [...args(place), "--epoch", "20ms", "--lake-commit-every", "50ms"] }
        assertRefused(yield* runPipelineProcess(command), /full|no space left/)
        disk.grow(200 * 1_048_576)
        const again = yield* runPipelineProcess(command)
        assert.strictEqual(again.code, 0, again.lines.join("\n"))
        yield* assertLeftBehind(place.data, large.expected)
      })
    )
  }
})
