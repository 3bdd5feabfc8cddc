/**
 * What a crash of the machine cannot take: when a table's pointer is swapped, every file below the table is durable, and so
 * is its name in every folder on the way to it.
 *
 * The disk's memory is kept here: a sync of a file makes the bytes durable that it has by then, a sync of a folder the names
 * that are in it by then. Whatever is not synced is lost, as after a crash. No disk is waited for.
 */
import { mkdirSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { DiskSync, FaultPoint, layerLocal, localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { appendRows, overwriteRows, upsertRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { appendEvents, landEvents } from "../landing/LandingFixture.ts"
import { canMount, smallDisk } from "../SmallDisk.ts"
import { byCountry, createAccounts, rowsSql, table } from "./change/ChangeFixture.ts"
import { folder } from "./parquet/WriterCases.ts"

/** A file's content, as far as the file system tells whether it is another: when it was last written, and its size. */
const contentOf = (path: string): string => {
  const { mtimeNs, size } = statSync(path, { bigint: true })
  return `${size} bytes of ${mtimeNs}`
}

const inodeOf = (path: string): bigint => statSync(path, { bigint: true }).ino

const filesBelow = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** A disk that keeps what was synced, and what of the files below `root` would be lost at each swap. */
const makeDisk = (root: string) => {
  const contents = new Map<bigint, string>()
  const names = new Map<string, ReadonlySet<string>>()
  /** By swap: the files that were there, each with what is wrong with it. */
  const swaps: Array<ReadonlyMap<string, string | undefined>> = []
  const sync = (_handle: unknown, path: string, kind: "file" | "folder") => {
    if (kind === "file") contents.set(inodeOf(path), contentOf(path))
    else names.set(path, new Set(readdirSync(path)))
    return Promise.resolve()
  }
  const problemOf = (path: string): string | undefined => {
    if (contents.get(inodeOf(path)) !== contentOf(path)) return "its bytes were not synced"
    for (let at = path; at !== root; at = dirname(at)) {
      if (names.get(dirname(at))?.has(at.slice(dirname(at).length + 1)) !== true) return `${dirname(at)} was not synced`
    }
    return undefined
  }
  const look = () => {
    swaps.push(new Map(filesBelow(root).map((path) => [path, problemOf(path)])))
  }
  return { sync, look, swaps }
}

type Lake = Layer.Success<ReturnType<typeof layerOn>>

const layerOn = (root: string, scratch: string) =>
  Layer.mergeAll(
    EmbeddedLog.layerMemory,
    DuckDb.layer({ dataDirectory: scratch }),
    layerSqliteCatalog({ file: ":memory:", warehouse: root }).pipe(Layer.provideMerge(FileIO.layer))
  ).pipe(Layer.provideMerge(layerLocal(root)))

const rows = (from: number) =>
  rowsSql(Array.from({ length: 6 }, (_, i) => ({ id: from + i, country: i % 2 === 0 ? "de" : "fr", cents: 5 })))

const idBelow = (value: bigint) => ({ _tag: "Compare", column: "id", operator: "<", value }) as const

/** A change, and what the names of the files contain that it must have made. */
type Case = readonly [what: string, change: Effect.Effect<unknown, unknown, Lake>, made: RegExp]

const mergeOnRead = ["write.delete.mode", "merge-on-read"] as const
const withTwo = Effect.andThen(appendRows(table, rows(0)), appendRows(table, rows(10)))

const cases: ReadonlyArray<Case> = [
  ["a landing", Effect.andThen(appendEvents(0, 30), landEvents), /at_day=2026-01-02\/.*\.parquet$/],
  ["an append", Effect.andThen(createAccounts(byCountry), appendRows(table, rows(0))), /country=fr\/rows-.*\.parquet$/],
  ["an append to a table without partitions", Effect.andThen(createAccounts([]), appendRows(table, rows(0))), /rows-/],
  [
    "an append to a partition whose folder somebody made who was killed then",
    Effect.gen(function* () {
      const { metadata } = yield* createAccounts(byCountry)
      mkdirSync(join(localPath(metadata.location) ?? "", "data", "country=de"), { recursive: true })
      yield* appendRows(table, rows(0))
    }),
    /country=de\/rows-.*\.parquet$/
  ],
  [
    "an overwrite and an upsert",
    Effect.all([
      createAccounts(byCountry),
      withTwo,
      overwriteRows(table, idBelow(3n), rows(20)),
      upsertRows(table, ["id"], rows(12))
    ]),
    /compact-.*\.parquet$/
  ],
  [
    "a delete that writes files anew",
    Effect.all([createAccounts([]), withTwo, deleteRows(table, idBelow(3n))]),
    /compact-.*\.parquet$/
  ],
  [
    "a delete that writes position deletes",
    Effect.all([createAccounts(byCountry, [mergeOnRead]), withTwo, deleteRows(table, idBelow(3n))]),
    /country=de\/delete-.*\.parquet$/
  ],
  [
    "a delete that writes deletion vectors",
    Effect.all([createAccounts([], [mergeOnRead, ["format-version", "3"]]), withTwo, deleteRows(table, idBelow(3n))]),
    /deletes-.*\.puffin$/
  ],
  [
    "a compaction",
    Effect.all([createAccounts(byCountry), withTwo, compactTable(table, { inputFilesMin: 2 })]),
    /compact-.*\.parquet$/
  ]
]

/** Does the change and asks at each swap; `scratch` is where files lie that DuckDB makes. */
const assertDurable = Effect.fnUntraced(function* ([, change, made]: Case, scratch: string) {
  const root = yield* folder
  const disk = makeDisk(root)
  yield* change.pipe(
    Effect.provide(layerOn(root, scratch)),
    Effect.provideService(DiskSync, { sync: disk.sync }),
    Effect.provideService(FaultPoint, {
      hit: (name) => (name === "before-swap" ? Effect.sync(disk.look) : Effect.void)
    })
  )
  const last = disk.swaps.at(-1)
  if (last === undefined) return assert.fail("nothing was swapped in")
  assert.isTrue(
    [...last.keys()].some((path) => made.test(path)),
    [...last.keys()].join("\n")
  )
  for (const swap of disk.swaps) {
    assert.deepStrictEqual(
      [...swap].filter(([, problem]) => problem !== undefined),
      []
    )
  }
})

describe("every file that a swap may name is durable before it, and its name in its folders", () => {
  for (const each of cases) {
    it.live(`with ${each[0]}`, () => Effect.flatMap(folder, (scratch) => assertDurable(each, scratch)))
  }

  for (const each of cases) {
    it.live.skipIf(!canMount)(`with ${each[0]}, whose files are made on another disk and copied (needs root)`, () =>
      Effect.flatMap(smallDisk(4 * 1024 * 1024), (scratch) => assertDurable(each, scratch))
    )
  }
})
