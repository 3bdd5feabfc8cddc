import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { fraudLabels } from "../../src/generate/Fraud.ts"
import { places } from "../../src/generate/Places.ts"
import { makeTransactions, type TransactionOptions } from "../../src/generate/Transactions.ts"

const startMs = Date.parse("2026-01-14T23:45:00.000Z")
/** Three in the morning in New York: every pattern can happen. */
const usNightMs = Date.parse("2026-01-14T08:00:00.000Z")
const decoder = new TextDecoder("utf-8", { fatal: true })

interface Made {
  readonly text: string
  readonly key: string | null
  readonly arrivalMs: number
  readonly label: string | undefined
  readonly account: number
}

const make = (options: TransactionOptions, count: number, stepMs = 1): ReadonlyArray<Made> => {
  const generator = makeTransactions(options)
  return Array.from({ length: count }, (_, index) => {
    const arrivalMs = startMs + Math.floor(index * stepMs)
    const made = generator.next(arrivalMs)
    const text = decoder.decode(made.bytes.subarray(0, made.length))
    const key = made.keyStart < 0 ? null : decoder.decode(made.bytes.subarray(made.keyStart, made.keyEnd))
    return { text, key, arrivalMs, label: made.label, account: made.account }
  })
}

const Transaction = Schema.fromJsonString(
  Schema.Struct({
    transaction_id: Schema.String.check(
      Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    ),
    account_id: Schema.String.check(Schema.isPattern(/^ACC[0-9]{7}$/)),
    amount: Schema.Finite.check(Schema.isGreaterThan(0)),
    currency: Schema.String.check(Schema.isPattern(/^[A-Z]{3}$/)),
    type: Schema.Literals(["purchase", "refund", "withdrawal", "transfer"]),
    merchant_id: Schema.String.check(Schema.isPattern(/^M[0-9]{5}$/)),
    merchant_category: Schema.String,
    country: Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/)),
    city: Schema.String,
    lat: Schema.Finite.check(Schema.isBetween({ minimum: -90, maximum: 90 })),
    lon: Schema.Finite.check(Schema.isBetween({ minimum: -180, maximum: 180 })),
    channel: Schema.Literals(["pos", "online", "atm", "mobile"]),
    device_id: Schema.String.check(Schema.isPattern(/^d-[0-9a-f]{12}$/)),
    ip: Schema.String.check(Schema.isPattern(/^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/)),
    event_timestamp: Schema.String,
    label: Schema.optionalKey(Schema.Literals(fraudLabels))
  })
)
const decode = Schema.decodeUnknownSync(Transaction)
const fields = Object.keys(Transaction.to.fields)

const few = { arbitrary: { runs: 25, seed: 1 } }
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

describe("Transactions", () => {
  it.prop(
    "every record has the contract's fields in order, its own key, id and event time",
    [Seed],
    ([seed]) => {
      for (const made of make({ seed }, 50)) {
        const record = decode(made.text)
        const present = Object.keys(JSON.parse(made.text))
        assert.deepStrictEqual(present, fields.slice(0, present.length))
        assert.strictEqual(record.account_id, made.key)
        assert.strictEqual(record.label, made.label)
        assert.strictEqual(Number.parseInt(record.transaction_id.replace("-", "").slice(0, 12), 16), made.arrivalMs)
        const eventMs = Date.parse(record.event_timestamp)
        assert.strictEqual(new Date(eventMs).toISOString(), record.event_timestamp)
        assert.isTrue(eventMs <= made.arrivalMs && eventMs >= made.arrivalMs - 5_000)
        assert.isTrue(places.some((place) => place.city === record.city && place.country === record.country))
        assert.match(made.text, /"amount":[0-9]+\.[0-9]{2},/)
      }
    },
    few
  )

  it.prop(
    "the same seed and times give the same bytes, another seed gives others",
    [Seed],
    ([seed]) => {
      const texts = (chosen: number) => make({ seed: chosen }, 20).map((made) => made.text)
      assert.deepStrictEqual(texts(seed), texts(seed))
      assert.notDeepEqual(texts(seed), texts(seed + 1))
    },
    few
  )

  it("seed 42 gives these bytes on every runtime", () => {
    const hash = createHash("sha256")
    for (const made of make({ seed: 42, invalidShare: 0.01 }, 20_000)) hash.update(made.text).update("\n")
    assert.strictEqual(hash.digest("hex"), "b6447814fa1ad55f15d53b2a49be96ea7d3d81c301806852aa86e22727d346a6")
  })

  it("transaction ids are unique and ascend with arrival", () => {
    const ids = make({ seed: 1 }, 20_000, 0.01).map((made) => made.text.slice(19, 55))
    assert.strictEqual(new Set(ids).size, ids.length)
    assert.isTrue(ids.every((id, index) => index === 0 || id > ids[index - 1]!))
  })

  it("one record in five has an event time up to five seconds before its arrival", () => {
    const early = make({ seed: 5, fraudShare: 0 }, 20_000)
      .map(
        (made) =>
          made.arrivalMs - Date.parse(made.text.slice(made.text.indexOf(`event_timestamp":"`) + 18).slice(0, 24))
      )
      .filter((ms) => ms > 0)
    assert.isTrue(Math.abs(early.length / 20_000 - 0.2) < 0.01)
    assert.isTrue(early.some((ms) => ms > 4_900))
  })
})

describe("Transactions: shares", () => {
  const count = 60_000
  const share = (all: ReadonlyArray<Made>, part: string): number =>
    all.filter((made) => made.text.includes(part)).length / all.length

  it("types come 85 : 5 : 8 : 2, withdrawals from cash machines and transfers by wire", () => {
    const all = make({ seed: 42, fraudShare: 0 }, count)
    for (const [type, expected] of [
      ["purchase", 0.85],
      ["refund", 0.05],
      ["withdrawal", 0.08],
      ["transfer", 0.02]
    ] as const)
      assert.isTrue(Math.abs(share(all, `"type":"${type}"`) - expected) < 0.005, type)
    assert.strictEqual(share(all, `"merchant_category":"atm"`), share(all, `"type":"withdrawal"`))
    assert.strictEqual(share(all, `"merchant_category":"wire_transfer"`), share(all, `"type":"transfer"`))
  })

  it("all accounts are used, some far more than others", () => {
    const uses = new Map<string | null, number>()
    for (const made of make({ seed: 42 }, count)) uses.set(made.key, (uses.get(made.key) ?? 0) + 1)
    const counts = [...uses.values()].sort((a, b) => b - a)
    assert.isTrue(counts.length > 990 && counts.length <= 1_000)
    assert.isTrue(counts[0]! > 20 * counts.at(-1)!)
  })

  for (const perSecond of [10, 1_000]) {
    it(`fraud has its share, and every pattern, at ${perSecond} a second`, () => {
      for (const fraudShare of [0.01, 0.05]) {
        const generator = makeTransactions({ seed: 42, fraudShare })
        const labels = new Map<string, number>()
        const settled = 40_000
        for (let index = 0; index < settled + count; index++) {
          const label = generator.next(usNightMs + Math.floor((index * 1_000) / perSecond)).label
          if (label !== undefined && index >= settled) labels.set(label, (labels.get(label) ?? 0) + 1)
        }
        const labelled = [...labels.values()].reduce((sum, value) => sum + value, 0)
        assert.isTrue(Math.abs(labelled / count - fraudShare) < fraudShare / 10, `${labelled}`)
        assert.deepStrictEqual([...labels.keys()].sort(), [...fraudLabels].sort())
      }
    })
  }

  it("an account has one fraud scenario at a time", () => {
    const last = new Map<number, Made>()
    const mixed = make({ seed: 9, fraudShare: 0.05 }, count, 10).filter((made) => {
      if (made.label === undefined) return false
      const before = last.get(made.account)
      last.set(made.account, made)
      return before !== undefined && made.arrivalMs - before.arrivalMs < 20_000 && before.label !== made.label
    })
    assert.deepStrictEqual(mixed, [])
  })

  it("invalid records come in the asked share, and have no key where a reader finds none", () => {
    const all = make({ seed: 42, invalidShare: 0.1, fraudShare: 0 }, 20_000)
    const broken = all.filter((made) => {
      try {
        decode(made.text)
        return Number.isNaN(Date.parse(made.text.slice(-26, -2)))
      } catch {
        return true
      }
    })
    assert.isTrue(Math.abs(broken.length / all.length - 0.1) < 0.01)
    const keyless = broken.filter((made) => made.key === null)
    assert.isTrue(Math.abs(keyless.length / broken.length - 0.4) < 0.05)
    assert.isTrue(keyless.every((made) => made.account === -1))
  })
})
