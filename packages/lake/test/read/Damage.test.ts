/**
 * Damaged files of a table: every region flipped, cut, emptied or missing, in every kind of file. A read gives all rows with all
 * their values, whole or by a filter, or an error that names the file and what is wrong; never other rows, never a defect.
 *
 * FRAZIL_DAMAGE_CASES says how many cases for each kind of file; FRAZIL_DAMAGE_SEED which.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { type JsonRow, readTable, type ReadOptions } from "../../src/read/ReadTable.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setProperties } from "../../src/write/TableAction.ts"
import { byCountry, createAccounts, layerLake, load, rowsSql, table } from "../write/change/ChangeFixture.ts"
import { seeded } from "../write/parquet/WriterCases.ts"

const casesOfKind = Number(process.env["FRAZIL_DAMAGE_CASES"] ?? 40)
const seed = Number(process.env["FRAZIL_DAMAGE_SEED"] ?? 1)

interface Damaged {
  readonly what: string
  /** Undefined: the file is gone. */
  readonly bytes: Uint8Array | undefined
}

/** What is done to a file at a place. */
const damage = (bytes: Uint8Array, at: number, below: (n: number) => number): Damaged => {
  const changed = (what: string, change: (copy: Uint8Array) => void): Damaged => {
    const copy = bytes.slice()
    change(copy)
    return { what: `${what} at ${at}`, bytes: copy }
  }
  switch (below(8)) {
    case 0:
      return { what: `cut at ${at}`, bytes: bytes.slice(0, at) }
    case 1: {
      const length = 1 + below(16)
      return {
        what: `${length} bytes taken out at ${at}`,
        bytes: Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + length)])
      }
    }
    case 2:
      return changed("zeros", (copy) => copy.fill(0, at, at + 1 + below(16)))
    case 3:
      return changed("noise", (copy) => {
        for (let i = at; i < Math.min(copy.length, at + 1 + below(16)); i++) copy[i] = below(256)
      })
    default:
      return changed("flip", (copy) => void (copy[at]! ^= 1 << below(8)))
  }
}

const whole = (bytes: Uint8Array): ReadonlyArray<Damaged> => [
  { what: "missing", bytes: undefined },
  { what: "empty", bytes: new Uint8Array() },
  { what: "twice", bytes: Uint8Array.from([...bytes, ...bytes]) }
]

/** Spread over the file from `from` on, where its interesting region begins. */
const damages = (
  bytes: Uint8Array,
  from: number,
  cases: number,
  below: (n: number) => number
): ReadonlyArray<Damaged> => [
  ...whole(bytes),
  ...Array.from({ length: cases }, (_, i) => {
    const region = (bytes.length - from) / cases
    return damage(bytes, Math.min(bytes.length - 1, from + Math.floor(i * region) + below(Math.ceil(region))), below)
  })
]

const accounts = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, country: ["US", "DE", null][i % 3]!, cents: from + i }))

/** A table with files, deletes, a summary of ours and names of nested columns that make readers look into files. */
const makeTable = Effect.gen(function* () {
  yield* createAccounts(byCountry, [["write.delete.mode", "merge-on-read"]])
  yield* appendRows(table, rowsSql(accounts(0, 12)))
  yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 2n })
  yield* appendRows(table, rowsSql(accounts(100, 9)))
  yield* commitTable({ table, actions: () => Effect.succeed([setProperties(new Map([["owner", "a team"]]))]) })
})

const answer = "SELECT count(*) AS n, sum(hash(t))::VARCHAR AS every_value FROM t"

/** What is asked of the table; the last leaves files out by what their manifests say of them. */
const questions: ReadonlyArray<Pick<ReadOptions, "filter" | "query">> = [
  { query: answer },
  { query: `${answer} WHERE id >= 100`, filter: { _tag: "Compare", column: "id", operator: ">=", value: 100n } }
]

/** Everything anew, as a process that has just started. */
const readAnew = (metadataLocation: string, question: Pick<ReadOptions, "filter" | "query">) =>
  Effect.gen(function* () {
    const fileIO = yield* FileIO
    const metadata = yield* fileIO.readTableMetadata(metadataLocation)
    return yield* readTable({ identifier: table, metadata, metadataLocation }, question)
  }).pipe(Effect.provide(Layer.fresh(FileIO.layer)))

interface Victim {
  readonly kind: string
  readonly uri: string
  /** Files that it says something of: where it and they disagree, nothing tells which is damaged, and either may be named. */
  readonly saysOf: ReadonlyArray<string>
  /** What a message begins with where a column that is asked for is not in the schema any more: nothing tells that it was. */
  readonly lacksColumn?: string
}

/** A file of each kind. */
const victims = Effect.gen(function* () {
  const loaded = yield* load
  const fileIO = yield* FileIO
  const list = currentSnapshot(loaded.metadata)!.manifestList
  const manifests = yield* fileIO.readManifestList(list)
  const plan = yield* planScan(loaded)
  const dataFiles = plan.entries.map(({ dataFile }) => dataFile.filePath)
  const deleteFiles = [...plan.deletes.values()].flat().map(({ dataFile }) => dataFile.filePath)
  const paths = manifests.map(({ manifestPath }) => manifestPath)
  const manifestOf = (content: string) => manifests.find((each) => each.content === content)!.manifestPath
  const found: ReadonlyArray<Victim> = [
    // its schemas and specs say how all others are read
    {
      kind: "table metadata",
      uri: loaded.metadataLocation,
      saysOf: [list, ...paths, ...dataFiles, ...deleteFiles],
      lacksColumn: `table ${loaded.metadata.location}: its rows cannot be asked by a filter`
    },
    // its manifests are of specs that the metadata has
    { kind: "manifest list", uri: list, saysOf: [...paths, loaded.metadataLocation] },
    { kind: "manifest", uri: manifestOf("data"), saysOf: dataFiles },
    { kind: "manifest of deletes", uri: manifestOf("deletes"), saysOf: [...deleteFiles, ...dataFiles] },
    { kind: "data file", uri: dataFiles[0]!, saysOf: [] },
    { kind: "delete file", uri: deleteFiles[0]!, saysOf: [] }
  ]
  return { metadataLocation: loaded.metadataLocation, found }
})

const footerStart = (bytes: Uint8Array): number =>
  bytes.length - 8 - new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true)

describe("a damaged file", () => {
  it.live(
    "gives every row or an error that names it, whatever is damaged",
    () =>
      Effect.gen(function* () {
        yield* makeTable
        const connection = yield* (yield* DuckDb).connect
        // DuckDB would answer from what it remembers of a file whose time and size did not change
        yield* connection.run(
          "SET GLOBAL enable_external_file_cache = false; SET GLOBAL parquet_metadata_cache = false",
          "reading damaged files"
        )
        const { found, metadataLocation } = yield* victims
        const ask = (question: (typeof questions)[number]) => readAnew(metadataLocation, question)
        const expected = yield* Effect.forEach(questions, (each) => Effect.map(ask(each), ({ rows }) => rows[0]!))
        const below = seeded(seed)
        const wrong: Array<unknown> = []
        let unnoticed = 0
        for (const victim of found) {
          const path = localPath(victim.uri)!
          const bytes = Uint8Array.from(readFileSync(path))
          // in Parquet files only the footer
          const isParquet = victim.kind.endsWith("file")
          const from = isParquet ? footerStart(bytes) : 0
          const cases = isParquet ? casesOfKind / 2 : casesOfKind
          for (const { bytes: damaged, what } of damages(bytes, from, cases, below)) {
            if (damaged === undefined) rmSync(path)
            else writeFileSync(path, damaged)
            for (const [i, question] of questions.entries()) {
              const verdict = judge(yield* Effect.exit(ask(question)), expected[i]!, victim)
              if (isUnnoticeable(victim, question, verdict)) unnoticed++
              else if (verdict !== undefined) wrong.push([victim.kind, what, question.query, verdict])
            }
          }
          writeFileSync(path, bytes)
        }
        assert.deepStrictEqual(wrong, [])
        assert.isAtMost(unnoticed, casesOfKind / 20)
        for (const [i, question] of questions.entries())
          assert.deepStrictEqual((yield* ask(question)).rows[0], expected[i])
      }).pipe(Effect.scoped, Effect.provide(layerLake)),
    600_000
  )
})

/** The footer of a file says of columns what a reader takes them by: ids, names and digits after the point. */
const turns: ReadonlyArray<{ readonly column: string; readonly at: number; readonly is: number; readonly to: number }> =
  [
    { column: "country", at: 2, is: 0x35, to: 0x15 }, // its id becomes its scale
    { column: "balance", at: -1, is: 7, to: 6 }, // a shorter name, and nothing fits after it
    { column: "balance", at: 3, is: 0x04, to: 0x00 }, // cents become whole
    { column: "balance", at: 3, is: 0x04, to: 0x06 },
    { column: "balance", at: 7, is: 0x06, to: 0x46 }, // an id that no table gave
    { column: "balance", at: 7, is: 0x06, to: 0x02 } // the id of another
  ]

describe("a footer that is damaged in what it says of a column", () => {
  it.live("is told, not read as other values", () =>
    Effect.gen(function* () {
      yield* makeTable
      const connection = yield* (yield* DuckDb).connect
      yield* connection.run(
        "SET GLOBAL enable_external_file_cache = false; SET GLOBAL parquet_metadata_cache = false",
        "reading damaged files"
      )
      const { found, metadataLocation } = yield* victims
      const victim = found.find(({ kind }) => kind === "data file")!
      const path = localPath(victim.uri)!
      const bytes = Uint8Array.from(readFileSync(path))
      const footer = Buffer.from(bytes.slice(footerStart(bytes)))
      for (const { at, column, is, to } of turns) {
        const place = footer.indexOf(column) + (at < 0 ? 0 : column.length) + at
        assert.strictEqual(footer[place], is)
        const damaged = bytes.slice()
        damaged[footerStart(bytes) + place] = to
        writeFileSync(path, damaged)
        const error = yield* Effect.flip(readAnew(metadataLocation, questions[0]!))
        assert.include(error.message, path, `${column} at ${at}`)
      }
      writeFileSync(path, bytes)
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )
})

/** Paths that a message names. */
const pathsIn = (message: string): ReadonlyArray<string> =>
  (message.match(/(?:file:\/\/)?\/[^\s,;:'"()]+/g) ?? []).map((path) => path.replace(/^file:\/\//, ""))

/**
 * What nothing tells, so that a few cases may come to it. Avro's deflate has no checksum: a flip may change the path that a delete
 * is for, or a bound by which a filter leaves a file out, wherever the block has it. Nor have footers of Parquet: DuckDB leaves row
 * groups out by their statistics. And in JSON another digit is the id of another column, which files may lack.
 */
const isUnnoticeable = ({ kind }: Victim, { filter }: (typeof questions)[number], verdict: unknown): boolean => {
  switch (verdict) {
    case "rows came back":
      return kind === "manifest of deletes" || kind === "delete file"
    case "rows are missing":
      return filter !== undefined && (kind === "manifest" || kind === "data file")
    case "other values":
      return kind === "table metadata"
    default:
      return false
  }
}

/** What is wrong with the outcome; nothing is undefined. */
const judge = (
  exit: Exit.Exit<{ readonly rows: ReadonlyArray<JsonRow> }, { readonly _tag: string; readonly message: string }>,
  expected: JsonRow,
  { lacksColumn, saysOf, uri }: Victim
): unknown => {
  if (Exit.isSuccess(exit)) {
    const [row] = exit.value.rows
    if (JSON.stringify(row) === JSON.stringify(expected)) return undefined
    const more = Number(row?.["n"]) - Number(expected["n"])
    return more > 0 ? "rows came back" : more < 0 ? "rows are missing" : "other values"
  }
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "None") return Cause.pretty(exit.cause)
  const { _tag, message } = error.value
  const names = (each: string) => message.includes(localPath(each)!)
  if (names(uri) || saysOf.some(names) || (lacksColumn !== undefined && message.startsWith(lacksColumn)))
    return undefined
  // a path in it is damaged, so that it names a file that nobody wrote
  const nowhere = saysOf.length > 0 && pathsIn(message).some((path) => !existsSync(path))
  return nowhere ? undefined : `${_tag}: ${message}`
}
