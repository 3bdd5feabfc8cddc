/**
 * Damaged files of a table: every region flipped, cut, emptied or missing, in every kind of file. A read gives all rows, or an
 * error that names a file of the table and what is wrong; never fewer rows, never a defect.
 *
 * FRAZIL_DAMAGE_CASES says how many cases for each kind of file; FRAZIL_DAMAGE_SEED which.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { readTable, type JsonRow } from "../../src/read/ReadTable.ts"
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

const query = "SELECT count(*) AS n, count(DISTINCT id) AS d, min(id) AS low, max(id) AS high FROM t"

/** Everything anew, as a process that has just started. */
const readAnew = (metadataLocation: string) =>
  Effect.gen(function* () {
    const fileIO = yield* FileIO
    const metadata = yield* fileIO.readTableMetadata(metadataLocation)
    return yield* readTable({ identifier: table, metadata, metadataLocation }, { query })
  }).pipe(Effect.provide(Layer.fresh(FileIO.layer)))

/** The kinds of files of a table, with where damage begins: in Parquet files only in the footer. */
const kinds = Effect.gen(function* () {
  const loaded = yield* load
  const fileIO = yield* FileIO
  const list = currentSnapshot(loaded.metadata)!.manifestList
  const manifests = yield* fileIO.readManifestList(list)
  const plan = yield* planScan(loaded)
  const deleted = [...plan.deletes.values()][0]![0]!.dataFile.filePath
  const manifestOf = (content: string) => manifests.find((each) => each.content === content)!.manifestPath
  return {
    metadataLocation: loaded.metadataLocation,
    files: [
      ["table metadata", loaded.metadataLocation],
      ["manifest list", list],
      ["manifest", manifestOf("data")],
      ["manifest of deletes", manifestOf("deletes")],
      ["data file", plan.entries[0]!.dataFile.filePath],
      ["delete file", deleted]
    ] as const
  }
})

const footerStart = (bytes: Uint8Array): number =>
  bytes.length - 8 - new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true)

describe("a damaged file", () => {
  it.live(
    "gives every row or an error that names a file, whatever is damaged",
    () =>
      Effect.gen(function* () {
        yield* makeTable
        const connection = yield* (yield* DuckDb).connect
        // DuckDB would answer from what it remembers of a file whose time and size did not change
        yield* connection.run("SET GLOBAL enable_external_file_cache = false", "reading damaged files")
        const { files, metadataLocation } = yield* kinds
        const [expected] = (yield* readAnew(metadataLocation)).rows
        const below = seeded(seed)
        const wrong: Array<unknown> = []
        let cameBack = 0
        for (const [kind, uri] of files) {
          const path = localPath(uri)!
          const bytes = Uint8Array.from(readFileSync(path))
          const isParquet = kind.endsWith("file")
          const from = isParquet ? footerStart(bytes) : 0
          for (const { bytes: damaged, what } of damages(
            bytes,
            from,
            isParquet ? casesOfKind / 2 : casesOfKind,
            below
          )) {
            if (damaged === undefined) rmSync(path)
            else writeFileSync(path, damaged)
            const exit = yield* Effect.exit(readAnew(metadataLocation))
            const verdict = judge(exit, expected!)
            if (verdict === "rows came back" && kind.startsWith("manifest")) cameBack++
            else if (verdict !== undefined) wrong.push([kind, what, verdict])
          }
          writeFileSync(path, bytes)
        }
        assert.deepStrictEqual(wrong, [])
        // Avro's deflate has no checksum: a flip may change the path that a delete is for, wherever the block has it
        assert.isAtMost(cameBack, casesOfKind / 20)
        assert.deepStrictEqual((yield* readAnew(metadataLocation)).rows[0], expected)
      }).pipe(Effect.scoped, Effect.provide(layerLake)),
    600_000
  )
})

/** What is wrong with the outcome; nothing is undefined. */
const judge = (
  exit: Exit.Exit<{ readonly rows: ReadonlyArray<JsonRow> }, { readonly _tag: string; readonly message: string }>,
  expected: JsonRow
): unknown => {
  if (Exit.isSuccess(exit)) {
    const [row] = exit.value.rows
    if (JSON.stringify(row) === JSON.stringify(expected)) return undefined
    return Number(row?.["d"]) > Number(expected["d"]) ? "rows came back" : row
  }
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "None") return Cause.pretty(exit.cause)
  const { _tag, message } = error.value
  // a column that has another name by the metadata is missed by the query itself
  return /\/accounts\/|accounts$|file:|Binder Error/.test(message) ? undefined : `${_tag}: ${message}`
}
