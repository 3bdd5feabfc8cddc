import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { HttpRouter } from "effect/http"
import { type GeneratorProgress, makeTokenBucket, type TokenBucket } from "@frazil/sim"
import { rateRoutes } from "../src/RateApi.ts"

const progress: GeneratorProgress = {
  generated: 12,
  labelled: 1,
  withheld: 0,
  full: false,
  rate: 10,
  delivered: 12,
  buffered: 0,
  state: "delivering",
  failures: 0,
  problem: undefined,
  nextAttemptMs: undefined
}

interface Api {
  readonly bucket: TokenBucket
  readonly said: ReadonlyArray<string>
  readonly setProgress: (next: GeneratorProgress) => void
  readonly call: (
    method: string,
    path: string,
    body?: string
  ) => Effect.Effect<readonly [status: number, body: unknown]>
}

const open: Effect.Effect<Api, never, Scope.Scope> = Effect.gen(function* () {
  const bucket = yield* Effect.orDie(makeTokenBucket(10))
  const said: Array<string> = []
  let last = progress
  const routes = rateRoutes({ bucket, progress: () => last, say: (line) => Effect.sync(() => said.push(line)) })
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() => HttpRouter.toWebHandler(routes, { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose)
  )
  const call: Api["call"] = (method, path, body) =>
    Effect.promise(async () => {
      const init = body === undefined ? { method } : { method, body, headers: { "content-type": "application/json" } }
      const response = await handler(new Request(`http://localhost${path}`, init))
      const text = await response.text()
      return [response.status, text === "" ? undefined : JSON.parse(text)] as const
    })
  return {
    bucket,
    said,
    call,
    setProgress: (next) => {
      last = next
    }
  }
})

describe("RateApi", () => {
  it.effect("tells the rate and takes another", () =>
    Effect.gen(function* () {
      const { bucket, call, said } = yield* open
      assert.deepStrictEqual(yield* call("GET", "/rate"), [200, { rate: 10 }])
      assert.deepStrictEqual(yield* call("PUT", "/rate", `{"rate":500}`), [200, { rate: 500 }])
      assert.strictEqual(yield* bucket.rate, 500)
      assert.deepStrictEqual(said, ["rate 500/s, by HTTP"])
    })
  )

  it.effect("refuses what is no rate and keeps the old one", () =>
    Effect.gen(function* () {
      const { bucket, call } = yield* open
      for (const body of [
        `{"rate":-1}`,
        `{"rate":1e9}`,
        `{"rate":"5"}`,
        `{}`,
        `rate: 5`,
        `{"x":"${"a".repeat(2_000)}"}`
      ]) {
        const [status, answer] = yield* call("PUT", "/rate", body)
        assert.strictEqual(status, 400, body.slice(0, 20))
        assert.match(JSON.stringify(answer), /"error":"(the rate must be|send a JSON object)/)
      }
      assert.strictEqual(yield* bucket.rate, 10)
      assert.strictEqual((yield* call("POST", "/rate", `{"rate":5}`))[0], 404)
    })
  )

  it.effect("is healthy while it delivers, ill while delivery is paused or the buffer is full", () =>
    Effect.gen(function* () {
      const { call, setProgress } = yield* open
      const [status, body] = yield* call("GET", "/health")
      assert.strictEqual(status, 200)
      assert.include(JSON.stringify(body), `"status":"ok","generated":12`)
      setProgress({ ...progress, state: "paused", nextAttemptMs: 5, problem: "the log is locked" })
      assert.strictEqual((yield* call("GET", "/health"))[0], 503)
      setProgress({ ...progress, full: true })
      assert.strictEqual((yield* call("GET", "/health"))[0], 503)
    })
  )
})
