/** A landing that is stopped by what cannot be written: the right error, the table and its marks as they were, nothing left. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { Field, layerLocal, localPath, makeRecordBuilder, Storage, Topic } from "@frazil/core"
import { Log } from "@frazil/engine"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { Landing } from "../../src/landing/Landing.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { bytesFree, canMount, smallDisk } from "../SmallDisk.ts"
import { folder, seeded } from "../write/parquet/WriterCases.ts"
import { layerSystem } from "./LandingFixture.ts"

const prices = Topic.make("prices", {
  schema: Schema.Struct({ id: Field.text(), at: Field.timestamp, price: Field.decimal(4, 2) }),
  key: "id",
  eventTime: "at",
  partitions: 1
})

/** By tens. */
const landing = Landing.make(prices, {
  table: "test.prices",
  partition: [{ column: "price", transform: { _tag: "truncate", width: 1000 } }]
})

const land = runLanding(landing, { commitEveryMs: 60_000, inputComplete: () => Effect.succeed(true) })

const append = Effect.fnUntraced(function* (records: ReadonlyArray<readonly [id: string, price: string]>) {
  const log = yield* Log
  yield* log.ensureTopic({ name: prices.name, partitions: prices.partitions })
  const builder = makeRecordBuilder()
  for (const [id, price] of records) builder.addText(JSON.stringify({ id, at: "2026-01-01T12:00:00.000Z", price }), id)
  const producer = yield* Effect.scoped(log.producer("test"))
  yield* producer.append(producer.nextSequence, [{ topic: prices.name, partition: 0, records: builder.take() }])
})

const load = Catalog.use((catalog) => catalog.loadTable(landing))

const rowsNow = Effect.gen(function* () {
  const { rows } = yield* readTable(yield* load, { query: "SELECT id, price::VARCHAR AS price FROM t ORDER BY id" })
  return rows.map(({ id, price }) => `${String(id)}|${String(price)}`)
})

const filesOf = Effect.gen(function* () {
  const { metadata } = yield* load
  const found = yield* Stream.runCollect((yield* Storage).list(`${metadata.location}/`, { temporary: true }))
  return found.map(({ uri }) => uri).sort()
})

const youngest = { ageMsMin: -1_000 }

/** How the landing fails; its table is as it was, and what is left is what orphan removal lists. */
const expectUntouched = Effect.gen(function* () {
  const [before, files, rows] = [yield* load, yield* filesOf, yield* rowsNow]
  const error = yield* Effect.flip(land)
  assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
  assert.deepStrictEqual(yield* rowsNow, rows)
  const left = (yield* filesOf).filter((uri) => !files.includes(uri))
  assert.deepStrictEqual(left, [], "the writer takes away what it wrote")
  return error
})

describe("a landing is stopped", () => {
  it.live("by a record whose partition value is beyond its type, after records that fit", () =>
    Effect.gen(function* () {
      yield* append([["a", "-89.99"]])
      yield* land
      yield* append([
        ["b", "7.00"],
        ["c", "-99.99"],
        ["d", "12.50"]
      ])
      const error = yield* expectUntouched
      assert.strictEqual(error.reason, "Unsupported", error.message)
      assert.match(error.message, /price_trunc: truncate\[1000\] of a record's value is beyond decimal\(4, 2\)/)
      assert.notInclude(error.message, "99.99")
      assert.deepStrictEqual((yield* removeOrphans(landing, { ...youngest, dryRun: true })).removed, [])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live.skipIf(!canMount)(
    "by a warehouse whose disk is full in the middle of a file, and lands every record once there is room (needs root)",
    () =>
      Effect.gen(function* () {
        const warehouse = yield* smallDisk(320 * 1024)
        const below = seeded(7)
        const text = () => Array.from({ length: 8 }, () => below(2 ** 30).toString(36)).join("")
        // of a size that compresses little: a file of 200 KB, in another partition than those before it
        const many = Array.from({ length: 6_000 }, (_, i) => [`m${i}-${text()}`, i < 10 ? "1.00" : "50.00"] as const)
        yield* Effect.gen(function* () {
          yield* append([["a", "1.00"]])
          yield* land
          const { metadata } = yield* load
          // left by a writer that was killed in the middle of a file
          const part = join(localPath(metadata.location) ?? "", "metadata", "00001-x.metadata.json.abc.frazil-part")
          writeFileSync(part, new Uint8Array(150 * 1024))
          assert.isBelow(bytesFree(warehouse), 200_000)
          yield* append(many)
          const error = yield* expectUntouched
          assert.strictEqual(error.reason, "Full", error.message)
          assert.match(error.message, /price_trunc=50.*the disk is full; make room and start again/)
          const dry = yield* removeOrphans(landing, { ...youngest, dryRun: true })
          assert.deepStrictEqual(dry.removed, [`file://${part}`])
          yield* removeOrphans(landing, youngest)
          yield* land
          const expected = [["a", "1.00"] as const, ...many].map(([id, price]) => `${id}|${price}`)
          assert.deepStrictEqual((yield* rowsNow).toSorted(), expected.toSorted())
        }).pipe(Effect.provide(layerOn(warehouse)))
      }).pipe(Effect.scoped)
  )
})

/** The warehouse on its disk; the log and the catalog in memory, DuckDB's own files elsewhere. */
function layerOn(warehouse: string) {
  const catalog = layerSqliteCatalog({ file: ":memory:", warehouse })
  return Layer.mergeAll(
    EmbeddedLog.layerMemory,
    Layer.unwrap(Effect.map(folder, (dataDirectory) => DuckDb.layer({ dataDirectory }))),
    catalog.pipe(Layer.provideMerge(FileIO.layer), Layer.provideMerge(layerLocal(warehouse)))
  )
}
