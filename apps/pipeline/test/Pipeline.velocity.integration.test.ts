/** The documents' velocity example to its end: their transactions, the pipeline, a declared sink, and a real Redis. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { noRules } from "@frazil/rules"
import { redisServer, type Server } from "@frazil/sim/servers"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { runPipeline } from "../src/Run.ts"
import { declaredSinks } from "../src/Sinks.ts"

const port = 6463

class Redis extends Context.Service<Redis, Server>()("pipeline/test/Redis") {}

const folderMade = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-velocity-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** What Redis answers to a command, as its protocol has it: `$1\r\n3\r\n`. */
const ask = (command: string) =>
  Effect.promise(
    () =>
      new Promise<string>((answered, failed) => {
        const socket = createConnection(port, "127.0.0.1", () => socket.write(`${command}\r\n`))
        socket.once("error", failed)
        socket.once("data", (bytes) => {
          socket.destroy()
          answered(bytes.toString())
        })
      })
  )

const settings = (url: string) => `connections:
  features: { kind: redis, url: "${url}" }
sinks:
  velocity:
    kind: redis
    topic: fraud-features
    connection: features
    features: [{ key: "fraud_features:{customer_id}:transaction_count_5min", value: transaction_count_5min, ttl: 5m }]
`

/** The documents' own event: `003`, example 1; and two more of its window, which has three there. */
const lines = `{"customer_id": "C123", "amount": 250.00, "merchant_id": "M456", "timestamp": "2025-12-05T10:23:15Z"}
{"customer_id": "C123", "amount": 12.50, "merchant_id": "M456", "timestamp": "2025-12-05T10:20:00Z"}
{"customer_id": "C123", "amount": 0.99, "merchant_id": "M7", "timestamp": "2025-12-05T10:24:59.999Z"}
`

layer(Layer.effect(Redis, redisServer(port)), { excludeTestServices: true, timeout: "60 seconds" })(
  "velocity in a feature store",
  (it) => {
    it.effect("is the documents' key, value and time to live", () =>
      Effect.gen(function* () {
        const { url } = yield* Redis
        const folder = yield* folderMade
        const [input, file] = [join(folder, "transactions.ndjson"), join(folder, "frazil.yaml")]
        writeFileSync(input, lines)
        writeFileSync(file, settings(url))
        const directory = dataDirectory(join(folder, "data"))
        const options = {
          flows: ["velocity"],
          rules: noRules,
          inputs: new Map([["transactions", input]]),
          generator: undefined,
          bounded: true,
          epochMs: 0,
          checkpointEveryMs: 0,
          lakeCommitEveryMs: 0,
          alertLagRecords: 10_000,
          sinks: yield* declaredSinks(file)
        } as const
        const screen = { live: false, due: () => false, show: () => {}, say: () => {}, finish: () => {} }
        yield* runPipeline(options, directory, screen, () => Effect.void).pipe(Effect.provide(systemLayer(directory)))
        const key = "fraud_features:C123:transaction_count_5min"
        assert.strictEqual(yield* ask(`GET ${key}`), "$1\r\n3\r\n")
        const left = Number((yield* ask(`PTTL ${key}`)).slice(1))
        assert.isTrue(left > 240_000 && left <= 300_000, `${left} ms`)
      })
    )
  }
)
