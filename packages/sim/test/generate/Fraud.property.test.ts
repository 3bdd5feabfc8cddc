import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeAccounts } from "../../src/generate/Accounts.ts"
import { fraudLabels, type FraudStep, planFraud, stepsMax } from "../../src/generate/Fraud.ts"
import { merchantCategories, transactionTypes } from "../../src/generate/Merchants.ts"
import { places } from "../../src/generate/Places.ts"
import { makeRandom } from "../../src/generate/Random.ts"

const accounts = makeAccounts()
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const Rank = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: accounts.length - 1 }))
const checked = { arbitrary: { runs: 100, seed: 1 } }
const startMs = 1_768_434_300_000
const fiveMinutesMs = 300_000

const spanMs = (steps: ReadonlyArray<FraudStep>): number => steps.at(-1)!.dueMs - steps[0]!.dueMs
const country = (step: FraudStep): string => places[step.place]!.country

const plan = (label: FraudStep["label"], seed: number, rank: number): ReadonlyArray<FraudStep> =>
  planFraud(label, accounts, rank, startMs, 1, makeRandom(seed))

describe("Fraud scenarios", () => {
  for (const label of fraudLabels) {
    it.prop(
      `${label}: several labelled steps of one account in order, within five minutes`,
      [Seed, Rank],
      ([seed, rank]) => {
        const steps = plan(label, seed, rank)
        assert.isTrue(steps.length >= 2 && steps.length <= stepsMax)
        assert.isTrue(steps.every((step) => step.label === label && step.account === rank && step.cents > 0))
        assert.isTrue(steps.every((step, index) => index === 0 || step.dueMs >= steps[index - 1]!.dueMs))
        assert.strictEqual(steps[0]!.dueMs, startMs)
        assert.isTrue(spanMs(steps) < fiveMinutesMs)
      }
    )
  }

  it.prop(
    "card_testing: eight or more purchases below two, then a large one",
    [Seed, Rank],
    ([seed, rank]) => {
      const steps = plan("card_testing", seed, rank)
      assert.isTrue(steps.filter((step) => step.cents < 200).length >= 8)
      assert.isTrue(steps.at(-1)!.cents >= 50_000)
      assert.isFalse(accounts[rank]!.deviceIds.includes(steps[0]!.deviceId))
    },
    checked
  )

  it.prop(
    "amount_spike: every amount above 10,000",
    [Seed, Rank],
    ([seed, rank]) => {
      assert.isTrue(plan("amount_spike", seed, rank).every((step) => step.cents > 1_000_000))
    },
    checked
  )

  it.prop(
    "velocity: eight or more purchases",
    [Seed, Rank],
    ([seed, rank]) => {
      const steps = plan("velocity", seed, rank)
      assert.isTrue(steps.length >= 8 && steps.every((step) => transactionTypes[step.type] === "purchase"))
    },
    checked
  )

  it.prop(
    "impossible_travel: above 10,000 at home, then only abroad",
    [Seed, Rank],
    ([seed, rank]) => {
      const [first, ...rest] = plan("impossible_travel", seed, rank)
      const home = places[accounts[rank]!.home]!.country
      assert.isTrue(first!.cents > 1_000_000 && country(first!) === home)
      assert.isTrue(rest.every((step) => country(step) !== home && country(step) === country(rest[0]!)))
    },
    checked
  )

  it.prop(
    "night_withdrawal: large withdrawals at cash machines at home",
    [Seed, Rank],
    ([seed, rank]) => {
      for (const step of plan("night_withdrawal", seed, rank)) {
        assert.strictEqual(transactionTypes[step.type], "withdrawal")
        assert.strictEqual(merchantCategories[step.category]!.name, "atm")
        assert.isTrue(step.cents > 80_000 && step.place === accounts[rank]!.home)
      }
    },
    checked
  )
})
