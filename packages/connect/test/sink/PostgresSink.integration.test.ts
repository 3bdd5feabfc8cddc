/** Rows in a real PostgreSQL: the newest record of each key, whatever is repeated, late or refused. */
import { assert, layer } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { Context, Effect, Fiber, Layer } from "effect"
import { type DeclaredSink, openPostgres, openPostgresSink, openSink, runSink } from "../../src/index.ts"
import { postgresServer, type Server } from "@frazil/sim/servers"
import { append, Counts, deadLetter, deadLetters, openLog } from "./SinkFixture.ts"
import { recordAt, storeCases } from "./StoreCases.ts"

const port = 5563
const timeoutMs = 2_000

class Postgres extends Context.Service<Postgres, Server>()("connect/test/Postgres") {}

const open = Effect.fnUntraced(function* (table: string) {
  const { url } = yield* Postgres
  const client = yield* openPostgres("counts", { kind: "postgres", url }, timeoutMs)
  const target = yield* openPostgresSink({ client, table, topic: Counts, key: ["customer"] })
  const read = (customer: string) =>
    Effect.map(
      client.query(`SELECT count::text FROM ${table} WHERE customer = $1`, [customer]),
      ([row]) => row?.[0] ?? undefined
    )
  return { client, read, target }
})

layer(Layer.effect(Postgres, postgresServer(port)), { excludeTestServices: true, timeout: "60 seconds" })(
  "a sink in PostgreSQL",
  (it) => {
    it.effect("keeps the newest record of each key", () =>
      Effect.gen(function* () {
        const { client, read, target } = yield* open("newest")
        yield* storeCases(target, read)
        assert.deepStrictEqual(
          yield* client.query(
            "SELECT total::text, source_topic_id, source_offset::text FROM newest WHERE customer = 'A'"
          ),
          [["12345678.90", "t2", "0"]]
        )
      })
    )

    it.effect("is opened as declared before the server is there, and makes its table with the first delivery", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        yield* server.stop
        const sink: DeclaredSink = {
          name: "declared",
          topic: Counts as unknown as DeclaredSink["topic"],
          connectionName: "counts",
          connection: { kind: "postgres", url: server.url },
          form: { kind: "postgres", table: "declared", key: ["customer"] }
        }
        const target = yield* openSink(sink)
        assert.strictEqual((yield* Effect.flip(target.deliver([recordAt("A", 1, 0)]))).delivered, 0)
        yield* server.start
        const both = [target.deliver([recordAt("A", 1, 0)]), target.deliver([recordAt("B", 1, 1)])]
        yield* Effect.all(both, { concurrency: "unbounded" })
        const { read } = yield* open("declared")
        assert.deepStrictEqual([yield* read("A"), yield* read("B")], ["1", "1"])
      })
    )

    it.effect("sends what the database refuses to the dead letters, and the rest in", () =>
      Effect.gen(function* () {
        const { client, read, target } = yield* open("refusing")
        yield* client.query("ALTER TABLE refusing ADD CHECK (count < 100)")
        const log = yield* openLog
        yield* append(log, 0, [
          ["A", 1],
          ["B", 100],
          [`nul \u0000`, 3],
          ["C", 4]
        ])
        yield* runSink({ name: "r", topic: Counts, target, deadLetter, inputComplete: Effect.succeed(true) }).pipe(
          Effect.provideService(Log, log)
        )
        assert.deepStrictEqual([yield* read("A"), yield* read("B"), yield* read("C")], ["1", undefined, "4"])
        assert.strictEqual(yield* deadLetters(log), 2)
      })
    )

    it.effect("waits while the server is gone, and goes on when it is back", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const { read, target } = yield* open("outage")
        const log = yield* openLog
        yield* append(log, 1, [["A", 1]])
        yield* server.stop
        const told: Array<string | undefined> = []
        const running = yield* Effect.forkChild(
          runSink({
            name: "o",
            topic: Counts,
            target,
            deadLetter,
            inputComplete: Effect.succeed(true),
            onProblem: (message) => Effect.sync(() => void told.push(message))
          }).pipe(Effect.provideService(Log, log)),
          { startImmediately: true }
        )
        while (told.length === 0) yield* Effect.sleep(20)
        yield* server.start
        yield* Fiber.join(running)
        assert.strictEqual(yield* read("A"), "1")
        assert.match(told[0] ?? "", /^connection "counts": the database failed \(/)
      })
    )
  }
)
