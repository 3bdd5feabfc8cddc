/** What a hook receives: each record signed, in order, again until it is taken, and what it refuses for good told. */
import { createHmac } from "node:crypto"
import { createServer, type IncomingMessage, type Server } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { ConfigProvider, Effect } from "effect"
import { openWebhookSink, runSink } from "../../src/index.ts"
import { append, type Count, Counts, deadLetter, deadLetters, jsonOf, openLog } from "./SinkFixture.ts"

interface Received {
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** A hook that answers with these statuses, then 204; remembers what it took. */
const openHook = Effect.fnUntraced(function* (statuses: ReadonlyArray<number>) {
  const taken: Array<Received> = []
  const ids: Array<string> = []
  let calls = 0
  const server = yield* Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const made = createServer((request, response) => {
        let body = ""
        request.on("data", (piece: Uint8Array) => (body += Buffer.from(piece).toString()))
        request.on("end", () => {
          const status = statuses[calls++] ?? 204
          ids.push(String(request.headers["webhook-id"]))
          if (status < 300) taken.push({ headers: request.headers, body })
          response.writeHead(status).end()
        })
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.closeAllConnections())
  )
  const address = server.address()
  assert(address !== null && typeof address === "object")
  return { ids, taken, url: `http://127.0.0.1:${address.port}/hook` }
})

const environment = ConfigProvider.layer(ConfigProvider.fromUnknown({ HOOK_SECRET: "hunter2" }))

const deliver = Effect.fnUntraced(function* (statuses: ReadonlyArray<number>) {
  const hook = yield* openHook(statuses)
  const log = yield* openLog
  yield* append(log, 0, [
    ["C1", 1],
    ["C2", 2],
    ["C3", 3]
  ])
  const target = yield* openWebhookSink<Count>({
    name: "hook",
    connection: { kind: "http", url: hook.url, signing: { env: "HOOK_SECRET" } }
  })
  const told: Array<string | undefined> = []
  yield* runSink({
    name: "hook",
    topic: Counts,
    target,
    deadLetter,
    inputComplete: Effect.succeed(true),
    onProblem: (message) => Effect.sync(() => void told.push(message))
  }).pipe(Effect.provideService(Log, log))
  return { hook, told, log, topicId: (yield* log.topic(Counts.name)).id }
}, Effect.provide(environment))

describe("a webhook", () => {
  it.live("gets each record as it is, with an id and a signature that holds", () =>
    Effect.gen(function* () {
      const { hook, topicId } = yield* deliver([])
      assert.deepStrictEqual(
        hook.taken.map(({ body }) => body),
        [jsonOf(["C1", 1]), jsonOf(["C2", 2]), jsonOf(["C3", 3])]
      )
      for (const [offset, { body, headers }] of hook.taken.entries()) {
        const id = `${topicId}/0/${offset}`
        const signed = `${id}.${String(headers["webhook-timestamp"])}.${body}`
        const expected = createHmac("sha256", "hunter2").update(signed).digest("base64")
        assert.deepInclude(headers, { "webhook-id": id, "webhook-signature": `v1,${expected}` })
        assert.match(String(headers["webhook-timestamp"]), /^[0-9]{10}$/)
      }
    })
  )

  it.live("is asked again after failures that pass, in order, and is told of no secret", () =>
    Effect.gen(function* () {
      const { hook, told, topicId } = yield* deliver([204, 500, 429])
      assert.deepStrictEqual(
        hook.ids,
        [0, 1, 1, 1, 2].map((offset) => `${topicId}/0/${offset}`)
      )
      const problem = (status: number) => `connection "hook": it answered with status ${status}`
      assert.deepStrictEqual(told, [problem(500), problem(429), undefined])
    })
  )

  it.live("loses what it refuses for good to the dead letters", () =>
    Effect.gen(function* () {
      const { hook, log } = yield* deliver([204, 410, 204])
      assert.strictEqual(hook.taken.length, 2)
      assert.strictEqual(yield* deadLetters(log), 1)
    })
  )
})
