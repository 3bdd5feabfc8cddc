import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type Behaviour, behaviourDefault } from "../../src/bureau/Behaviour.ts"
import { makeBureau, type Verdict } from "../../src/bureau/Bureau.ts"
import { makeDelayWheel } from "../../src/bureau/DelayWheel.ts"

const seed = 7
const open = (behaviour: Partial<Behaviour> = {}) => makeBureau(seed, { ...behaviourDefault, ...behaviour })
const ask = (ssn: string) => JSON.stringify({ ssn })
const status = (verdict: Verdict) => (verdict._tag === "Answer" ? verdict.answer.status : verdict._tag)
const score = (verdict: Verdict) => {
  assert(verdict._tag === "Answer")
  const body: unknown = JSON.parse(verdict.answer.body)
  return (body as { score: number }).score // the bureau's own answer
}

describe("the bureau", () => {
  it("scores 450 for a number that ends in 9, any other from 300 to 850, the same for a seed", () => {
    const numbers = Array.from({ length: 2_000 }, (_, n) => String(100_000_000 + n * 37))
    const first = numbers.map((ssn) => score(open().call(ask(ssn), 0)))
    for (const [index, ssn] of numbers.entries()) {
      if (ssn.endsWith("9")) assert.strictEqual(first[index], 450, ssn)
      else assert.isTrue(first[index]! >= 300 && first[index]! <= 850, ssn)
    }
    assert.isAbove(new Set(first).size, 450)
    assert.deepStrictEqual(
      numbers.map((ssn) => score(open().call(ask(ssn), 0))),
      first
    )
    const other = makeBureau(seed + 1, behaviourDefault)
    assert.notDeepEqual(
      numbers.map((ssn) => score(other.call(ask(ssn), 0))),
      first
    )
  })

  it("takes any time between both bounds", () => {
    const bureau = open({ delayMsMin: 200, delayMsMax: 1_500 })
    const delays = Array.from({ length: 5_000 }, () => {
      const verdict = bureau.call(ask("123456780"), 0)
      return verdict._tag === "Answer" ? verdict.delayMs : -1
    })
    assert.isTrue(delays.every((delay) => delay >= 200 && delay <= 1_500))
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length
    assert.isTrue(Math.abs(mean - 850) < 25, `mean ${mean}, seed ${seed}`)
  })

  it("refuses more than its limit a second with 429 and a time, and takes as many again later", () => {
    const bureau = open({ limitPerSecond: 10 })
    const taken = (nowMs: number) =>
      Array.from({ length: 25 }, () => bureau.call(ask("123456780"), nowMs)).filter((each) => status(each) === 200)
    assert.strictEqual(taken(1_000).length, 10)
    const refused = bureau.call(ask("123456780"), 1_000)
    assert(refused._tag === "Answer")
    assert.deepStrictEqual([refused.answer.status, refused.answer.retryAfterSeconds], [429, 1])
    assert.strictEqual(taken(1_500).length, 5)
    assert.strictEqual(taken(60_000).length, 10)
  })

  it("refuses more than its concurrency with 503 until somebody leaves", () => {
    const bureau = open({ concurrency: 2 })
    assert.deepStrictEqual(
      [1, 2].map(() => status(bureau.call(ask("123456780"), 0))),
      [200, 200]
    )
    assert.strictEqual(status(bureau.call(ask("123456780"), 0)), 503)
    bureau.leave() // the refused one
    bureau.leave()
    assert.strictEqual(status(bureau.call(ask("123456780"), 0)), 200)
    assert.deepInclude(bureau.counts(), { calls: 4, scored: 3, busy: 1, inFlight: 2, inFlightMax: 2 })
  })

  it("fails and hangs as often as it is told, also when told while it runs", () => {
    const bureau = open({ failRate: 0.2, hangRate: 0.1 })
    const all = Array.from({ length: 5_000 }, () => status(bureau.call(ask("123456780"), 0)))
    const part = (kind: unknown) => all.filter((each) => each === kind).length / all.length
    assert.isTrue(Math.abs(part(500) - 0.2) < 0.02 && Math.abs(part("Hang") - 0.1) < 0.02, `seed ${seed}`)
    bureau.behave({ ...bureau.behaviour(), failRate: 0, hangRate: 1 })
    assert.strictEqual(status(bureau.call(ask("123456780"), 0)), "Hang")
  })

  it("refuses what is no number of nine digits with 400, and does not repeat it", () => {
    for (const body of ["", "{", "[]", `{"ssn":123456789}`, ask("12345678"), ask("12345678A")]) {
      const verdict = open().call(body, 0)
      assert.strictEqual(status(verdict), 400, body)
      assert.notInclude(JSON.stringify(verdict), "12345678")
    }
  })
})

describe("the delay wheel", () => {
  it.effect("runs what is due, in order, not before its time and at most a tick late", () =>
    Effect.gen(function* () {
      const wheel = yield* makeDelayWheel
      const ran: Array<number> = []
      for (const delayMs of [700, 20, 300]) wheel.add(delayMs, () => ran.push(delayMs))
      yield* TestClock.adjust(19)
      assert.deepStrictEqual(ran, [])
      yield* TestClock.adjust(11)
      assert.deepStrictEqual(ran, [20])
      yield* TestClock.adjust(690)
      assert.deepStrictEqual(ran, [20, 300, 700])
      yield* TestClock.adjust(10_000)
      wheel.add(50, () => ran.push(50))
      yield* TestClock.adjust(60)
      assert.deepStrictEqual(ran, [20, 300, 700, 50])
    })
  )
})
