/** A declared webhook, end to end: a job falls behind, the alert leaves signed, and once more when it has caught up. */
import { createHmac } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeRecordBuilder } from "@frazil/core"
import { Log, type LogShape, type ShardId } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { noRules } from "@frazil/rules"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber } from "effect"
import type { PipelineOptions } from "../src/Options.ts"
import { logReaders, runPipeline } from "../src/Run.ts"
import type { Screen } from "../src/Screen.ts"
import { declaredSinks } from "../src/Sinks.ts"
import { type Call, openHook } from "./support/Hook.ts"

const secret = "hunter2-signs-this"
const lines = 600
const lagMax = 100

const makeFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-webhook-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const settings = (folder: string, url: string) => {
  const file = join(folder, "frazil.yaml")
  writeFileSync(join(folder, "signing.secret"), `${secret}\n`)
  writeFileSync(
    file,
    `connections:
  on-call: { kind: http, url: "${url}", signing: { file: ${join(folder, "signing.secret")} } }
sinks:
  alerts-to-on-call: { kind: webhook, topic: operations-alerts, connection: on-call }
`
  )
  return file
}

const fill = Effect.gen(function* () {
  const log = yield* Log
  yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
  const producer = yield* log.producer("test")
  const builder = makeRecordBuilder()
  const text = new TextDecoder().decode(makeCorpus({ seed: 1, lines, longLineBytes: [] }))
  for (const line of text.split("\n")) builder.addText(line, null)
  yield* producer.append(producer.nextSequence, [
    { topic: RawTransactions.name, partition: 0, records: builder.take() }
  ])
}).pipe(Effect.scoped)

const optionsWith = (sinks: NonNullable<PipelineOptions["sinks"]>): PipelineOptions => ({
  flows: ["transactions"],
  rules: noRules,
  inputs: new Map(),
  generator: undefined,
  bounded: false,
  epochMs: 0,
  checkpointEveryMs: 60_000,
  lakeCommitEveryMs: 60_000,
  alertLagRecords: lagMax,
  sinks
})

/** Calls about lag; the old event times and bad lines of the corpus are alerts of their own. */
const lagCalls = (calls: ReadonlyArray<Call>) =>
  calls.flatMap(({ body, status }) => {
    const alert: unknown = JSON.parse(body)
    assert(typeof alert === "object" && alert !== null && "kind" in alert && "state" in alert && "subject" in alert)
    return alert.kind === "lag" ? [[alert.subject, alert.state, status]] : []
  })

/**
 * The job commits nothing before the hook has taken how far behind it is: a fast one would never be seen to be, and what comes
 * of its commits would stand among the calls about it.
 */
const heldUntilTaken = (log: LogShape, calls: ReadonlyArray<Call>): LogShape => {
  const taken = Effect.gen(function* () {
    while (lagCalls(calls).length < 2) yield* Effect.sleep(20)
  })
  const ofJob = ({ id }: { readonly id: ShardId }) => id.uid === "transactions"
  return {
    ...log,
    commit: (epoch) => Effect.andThen(epoch.shards.some(ofJob) ? taken : Effect.void, log.commit(epoch))
  }
}

const assertSigned = ({ body, headers }: Call) => {
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`
  const expected = createHmac("sha256", secret).update(signed).digest("base64")
  assert.strictEqual(headers["webhook-signature"], `v1,${expected}`)
}

describe("a webhook on operations-alerts", () => {
  it.live("gets the lag alert, signed, again until it takes it, and once more when it clears", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const hook = yield* openHook([500])
      const sinks = yield* declaredSinks(settings(folder, hook.url))
      const directory = dataDirectory(join(folder, "data"))
      const said: Array<string> = []
      const screen: Screen = {
        live: false,
        due: () => false,
        show: () => {},
        say: (line) => void said.push(line),
        finish: () => {}
      }
      yield* Effect.gen(function* () {
        yield* fill
        const running = yield* Effect.forkChild(
          runPipeline(optionsWith(sinks), directory, screen, () => Effect.void).pipe(
            Effect.provideService(Log, heldUntilTaken(yield* Log, hook.calls))
          )
        )
        while (lagCalls(hook.calls).length < 3) yield* Effect.sleep(20)
        yield* Fiber.interrupt(running)
      }).pipe(Effect.provide(systemLayer(directory)))
      hook.calls.forEach(assertSigned)
      assert.deepStrictEqual(lagCalls(hook.calls), [
        ["raw-transactions", "firing", 500],
        ["raw-transactions", "firing", 204],
        ["raw-transactions", "cleared", 204]
      ])
      const [refused, taken] = hook.calls
      assert.strictEqual(refused?.headers["webhook-id"], taken?.headers["webhook-id"])
      assert.deepStrictEqual(said, [
        `sink alerts-to-on-call waits: connection "on-call": it answered with status 500`,
        "sink alerts-to-on-call delivers again"
      ])
    })
  )

  it.live("gets every record of a bounded run, which ends then, and fails it when it takes nothing", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const hook = yield* openHook([])
      const file = join(folder, "input.ndjson")
      const corpus = makeCorpus({ seed: 2, lines: 40, longLineBytes: [] })
      writeFileSync(file, corpus)
      const run = Effect.fnUntraced(function* (url: string, name: string) {
        const declared = yield* declaredSinks(settings(folder, url))
        const sinks = declared.map((sink) => ({
          ...sink,
          name,
          topic: RawTransactions as unknown as typeof sink.topic
        }))
        const inputs = new Map([["raw-transactions", file]])
        const directory = dataDirectory(join(folder, "data"))
        const screen: Screen = { live: false, due: () => false, show: () => {}, say: () => {}, finish: () => {} }
        const options = { ...optionsWith(sinks), inputs, bounded: true }
        yield* runPipeline(options, directory, screen, () => Effect.void).pipe(Effect.provide(systemLayer(directory)))
      })
      yield* run(hook.url, "first")
      const rows = expectRawTransactions(corpus).rows.length
      assert.strictEqual(new Set(hook.calls.map(({ headers }) => headers["webhook-id"])).size, rows)
      assert.strictEqual(hook.calls.length, rows)
      // the same command again: nothing is left
      yield* run(hook.url, "first")
      assert.strictEqual(hook.calls.length, rows)
      const error = yield* Effect.flip(run("http://127.0.0.1:1/hook", "second"))
      assert.match(
        error.message,
        /^sink second: nothing delivered in 5 attempts: connection "on-call": it cannot be rea/
      )
    })
  )

  it.live("is told at the start when its secret is nowhere, and holds retention before it ever ran", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const file = settings(folder, "http://127.0.0.1:1/hook")
      rmSync(join(folder, "signing.secret"))
      const sinks = yield* declaredSinks(file)
      const directory = dataDirectory(join(folder, "data"))
      const screen: Screen = { live: false, due: () => false, show: () => {}, say: () => {}, finish: () => {} }
      const error = yield* runPipeline(optionsWith(sinks), directory, screen, () => Effect.void).pipe(
        Effect.flip,
        Effect.provide(systemLayer(directory)),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))
      )
      assert.match(error.message, /^connection "on-call": its secret cannot be read from file .*\(ENOENT\)$/)
      assert.deepInclude(
        logReaders({ flows: ["claims"], sinks }).find(({ topic }) => topic === "operations-alerts"),
        { uid: "sink.alerts-to-on-call", stage: "sink" }
      )
    })
  )

  it("waits for the flows that run unless told otherwise and for those of the run, and for no other", () => {
    const uids = (...flows: PipelineOptions["flows"]) =>
      logReaders({ flows }).flatMap(({ topic, uid }) => (topic === "raw-transactions" ? [uid] : []))
    assert.includeMembers(uids("claims"), ["transactions"])
    assert.notInclude(uids("claims"), "abroad")
    assert.include(uids("abroad"), "abroad")
  })

  it.live("is not started when its declaration makes no sense", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const file = join(folder, "frazil.yaml")
      writeFileSync(file, "sinks:\n  a: { kind: webhook, topic: loan_applications, connection: nowhere }\n  b: 1\n")
      const error = yield* Effect.flip(declaredSinks(file))
      assert.strictEqual(
        error.message,
        `${file}: sink "a": there is no connection "nowhere": declare it in frazil.yaml under connections, of kind http (and 1 more: frazil config check)`
      )
    })
  )
})
