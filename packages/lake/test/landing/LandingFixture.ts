/**
 * A small topic that lands in a table, with a real log, catalog and DuckDB: for tests of landings.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { Field, layerLocal, makeRecordBuilder, Topic } from "@frazil/core"
import { Log } from "@frazil/engine"
import { Effect, Layer, Schema } from "effect"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { days, Landing } from "../../src/landing/Landing.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"

export const events = Topic.make("events", {
  schema: Schema.Struct({ id: Field.text(), at: Field.timestamp }),
  key: "id",
  eventTime: "at",
  partitions: 2
})

export const landing = Landing.make(events, { table: "test.events", partition: [days("at")] })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-landing-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Everything in a folder that goes with the test; the log and the catalog are in memory. */
export const layerSystem = Layer.unwrap(
  Effect.map(folder, (path) => {
    const storage = layerLocal(`file://${path}/`)
    const catalog = layerSqliteCatalog({ file: ":memory:", warehouse: `file://${path}/warehouse` })
    return Layer.mergeAll(
      EmbeddedLog.layerMemory,
      DuckDb.layer({ dataDirectory: path }),
      catalog.pipe(Layer.provideMerge(FileIO.layer), Layer.provideMerge(storage))
    )
  })
)

/** Appends to a partition: every third record is not JSON. Times spread over three days. */
export const appendEvents = Effect.fnUntraced(function* (partition: number, count: number) {
  const log = yield* Log
  yield* log.ensureTopic({ name: events.name, partitions: events.partitions })
  const builder = makeRecordBuilder()
  for (let i = 0; i < count; i++) {
    const at = new Date(Date.UTC(2026, 0, 1 + (i % 3), 12)).toISOString()
    builder.addText(i % 3 === 2 ? "not JSON" : JSON.stringify({ id: `e${i}`, at }), `e${i}`)
  }
  const producer = yield* Effect.scoped(log.producer("test"))
  yield* producer.append(producer.nextSequence, [{ topic: events.name, partition, records: builder.take() }])
})

/** Lands all there is. */
export const landEvents = runLanding(landing, { commitEveryMs: 1, inputComplete: () => Effect.succeed(true) })
