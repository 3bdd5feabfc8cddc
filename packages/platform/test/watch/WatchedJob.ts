// A small job with a lookup, so that it has a breaker and state, watched in virtual time; its service and its checkpoint
// store do as a test says.
import { EmbeddedLog } from "@frazil/connect"
import { Field, layerMemory, makeRecordBuilder, StorageError, Topic } from "@frazil/core"
import { CheckpointStore, DeadLetters, Flow, Job, Log, Lookup } from "@frazil/engine"
import { DeadLetters as LetterTopic, makeDeadLetter, OperationsAlerts } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { makeSystemReadings, type Thresholds, thresholdsDefault } from "../../src/watch/SystemReadings.ts"
import { watchSystem } from "../../src/watch/WatchSystem.ts"

class Order extends Schema.Opaque<Order>()(Schema.Struct({ id: Field.text(), at: Field.timestamp })) {}
class Price extends Schema.Opaque<Price>()(Schema.Struct({ cents: Field.int() })) {}
class Priced extends Schema.Opaque<Priced>()(Schema.Struct({ id: Field.text(), cents: Field.int() })) {}

const Orders = Topic.make("orders", { schema: Order, key: "id", eventTime: "at", partitions: 1 })
const PricedOrders = Topic.make("priced", { schema: Priced, key: "id", partitions: 1 })

class Down extends Schema.TaggedError<Down>()("Down", { message: Schema.String }) {}

class Prices extends Lookup.Service<Prices, string, Price, Down>()("test/Prices", {
  answer: Price,
  failures: { Down: "transient" },
  timeout: (message) => new Down({ message }),
  unavailable: (message) => new Down({ message })
}) {}

const pricing = Job.make("pricing", [
  Flow.from(Orders).pipe(
    Flow.lookup(Prices, {
      key: "id",
      name: "prices",
      policy: { timeout: "1s", breaker: { failures: 3, openFor: "10s", probesMax: 1 } }
    }),
    Flow.orDeadLetter(PricedOrders, ({ record }) => ({ id: record.id, cents: 0 })),
    Flow.map(({ cents, id }) => ({ id, cents })),
    Flow.to(PricedOrders)
  )
])

/** What the test may change while all runs. */
export const makeWorld = () => ({ pricesUp: true, storeUp: true, storeHangs: false })
type World = ReturnType<typeof makeWorld>

const down = new StorageError({ reason: "Unavailable", uri: "file:///checkpoints/", message: "the store is down" })

const storeOf = (world: World) =>
  Layer.effect(
    CheckpointStore,
    Effect.map(CheckpointStore, (store) => ({
      ...store,
      writeNew: (name: string, bytes: Uint8Array) =>
        world.storeHangs ? Effect.never : world.storeUp ? store.writeNew(name, bytes) : Effect.fail(down)
    }))
  ).pipe(Layer.provide(CheckpointStore.layer("file:///checkpoints/")), Layer.provide(layerMemory))

export const layerOf = (world: World) =>
  Layer.mergeAll(
    EmbeddedLog.layerMemory,
    storeOf(world),
    Layer.succeed(DeadLetters, { topic: LetterTopic, make: makeDeadLetter }),
    Layer.succeed(Prices, {
      lookup: () =>
        Effect.suspend(() =>
          world.pricesUp ? Effect.succeed({ cents: 100 }) : Effect.fail(new Down({ message: "down" }))
        )
    })
  )

const order = Effect.fnUntraced(function* (count: number) {
  const log = yield* Log
  yield* log.ensureTopic({ name: Orders.name, partitions: 1 })
  const builder = makeRecordBuilder()
  for (let n = 0; n < count; n++) builder.addText(`{"id":"o${n}","at":"2026-01-14T12:00:00.000Z"}`, null)
  const producer = yield* log.producer("test")
  yield* producer.append(producer.nextSequence, [{ topic: Orders.name, partition: 0, records: builder.take() }])
}, Effect.scoped)

/** The job and its watch, for as long as the test runs. */
export const startWatched = Effect.fnUntraced(function* (thresholds: Partial<Thresholds>) {
  yield* TestClock.setTime(Date.UTC(2026, 0, 14, 12))
  const log = yield* Log
  yield* log.ensureTopic({ name: Orders.name, partitions: 1 })
  const monitor = Job.monitor()
  const all = { ...thresholdsDefault, watermarkDelayMsMax: undefined, ...thresholds }
  const readings = makeSystemReadings([pricing], all, monitor.status)
  yield* Effect.forkScoped(Job.run(pricing, { observer: monitor, checkpointEveryMs: 5_000 }))
  yield* Effect.forkScoped(watchSystem({ topic: OperationsAlerts, readings, everyMs: 1_000, ended: Effect.never }))
})

/** Every alert so far, in the order of its partition: all are about one job. */
export const alerts = Effect.gen(function* () {
  const log = yield* Log
  const told: Array<{ readonly kind: string; readonly subject: string; readonly state: string }> = []
  for (const { end, partition } of yield* log.bounds(OperationsAlerts.name)) {
    if (end === 0) continue
    const batch = yield* log.read(OperationsAlerts.name, partition, 0, { recordsMax: 100, bytesMax: 100_000 })
    for (let row = 0; row < batch.length; row++) {
      told.push(JSON.parse(Buffer.from(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])).toString()))
    }
  }
  return told
})

/** The clock in steps, so that all that sleeps gets its turn; so many orders come each second. */
export const pass = Effect.fnUntraced(function* (seconds: number, orders = 0) {
  for (let second = 0; second < seconds; second++) {
    if (orders > 0) yield* order(orders)
    for (let step = 0; step < 10; step++) yield* TestClock.adjust(100)
  }
})
