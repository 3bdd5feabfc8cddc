import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { serveBureau } from "../../src/bureau/BureauServer.ts"

const answered = (url: string, method: string, body?: string) =>
  Effect.promise(async (signal) => {
    const response = await fetch(url, { method, signal, ...(body === undefined ? {} : { body }) })
    return [response.status, response.headers.get("retry-after"), await response.text()] as const
  })

const fast = { delayMsMin: 5, delayMsMax: 10 }

it.live("answers over HTTP, and does otherwise once it was told", () =>
  Effect.gen(function* () {
    const { address } = yield* serveBureau({ port: 0, seed: 1, behaviour: fast })
    const ask = answered(`${address}/v1/score`, "POST", `{"ssn":"123456789"}`)
    const tell = (change: object) => answered(`${address}/control`, "PUT", JSON.stringify(change))
    assert.deepStrictEqual(yield* ask, [200, null, `{"ssn":"123456789","score":450}`])
    assert.strictEqual((yield* tell({ limitPerSecond: 1 }))[0], 200)
    yield* ask
    assert.deepStrictEqual((yield* ask).slice(0, 2), [429, "1"])
    yield* tell({ limitPerSecond: null, answer: "html" })
    assert.match((yield* ask)[2], /^<html>/)
    yield* tell({ answer: "text" })
    assert.deepStrictEqual((yield* ask)[2], `{"ssn":"123456789","score":"450"}`)
    for (const wrong of [{ failRate: 2 }, { speed: 1 }, { delayMsMin: 20 }]) {
      assert.strictEqual((yield* tell(wrong))[0], 400, JSON.stringify(wrong))
    }
    assert.strictEqual((yield* answered(`${address}/v1/score`, "PUT", "{}"))[0], 405)
    assert.strictEqual((yield* answered(`${address}/v1/score`, "POST", "x".repeat(5_000)))[0], 413)
    assert.strictEqual((yield* answered(`${address}/other`, "GET"))[0], 404)
  })
)

it.live("holds a call that hangs until its caller gives up", () =>
  Effect.gen(function* () {
    const { address, bureau } = yield* serveBureau({ port: 0, seed: 1, behaviour: { ...fast, hangRate: 1 } })
    const asking = yield* Effect.forkChild(answered(`${address}/v1/score`, "POST", `{"ssn":"123456789"}`))
    while (bureau.counts().inFlight === 0) yield* Effect.sleep(2)
    yield* Fiber.interrupt(asking)
    while (bureau.counts().inFlight > 0) yield* Effect.sleep(2)
    assert.deepInclude(bureau.counts(), { calls: 1, hung: 1, scored: 0 })
  })
)
