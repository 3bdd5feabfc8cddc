/**
 * From what a person typed to what a run does, or to the line that says what to type instead.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { parseOptions, type PipelineFlags } from "../src/Options.ts"

const nothing: PipelineFlags = {
  data: "data",
  warehouse: Option.none(),
  checkpoints: Option.none(),
  jobs: Option.none(),
  input: [],
  rules: Option.none(),
  epoch: Option.none(),
  checkpointEvery: Option.none(),
  lakeCommitEvery: Option.none(),
  logRetention: Option.none(),
  noGenerator: false,
  noGateway: false,
  port: 8080,
  rate: 10,
  count: Option.none(),
  seed: Option.none(),
  alertLag: 10_000,
  largeClaimsOver: "10000",
  claimsCache: 10_000,
  parallelism: 1,
  instance: Option.none(),
  summary: Option.none()
}
const parse = (given: Partial<PipelineFlags>) =>
  parseOptions({ ...nothing, ...given }, () => ["raw-transactions", "clicks"])

describe("parseOptions", () => {
  it.effect("runs everything, generates and never ends by itself when nothing is asked", () =>
    Effect.gen(function* () {
      const options = yield* parse({})
      assert.deepInclude(options, {
        flows: ["transactions", "lending", "claims", "security", "sessions", "velocity"],
        bounded: false,
        gatewayPort: 8080,
        epochMs: 200,
        lakeCommitEveryMs: 10_000
      })
      assert.deepStrictEqual(options.generator, { rate: 10, count: undefined, seed: undefined })
      assert.isUndefined((yield* parse({ noGenerator: true })).generator)
      assert.isUndefined((yield* parse({ noGateway: true })).gatewayPort)
    })
  )

  it.effect("runs what is named, also what nobody runs unasked", () =>
    Effect.gen(function* () {
      const { flows } = yield* parse({ jobs: Option.some("transactions,abroad") })
      assert.deepStrictEqual(flows, ["transactions", "abroad"])
    })
  )

  it.effect("ends by itself with inputs, which it generates nothing beside, and with a count", () =>
    Effect.gen(function* () {
      const fed = yield* parse({ input: ["raw-transactions=a=b.ndjson", "clicks=c.ndjson"] })
      assert.deepInclude(fed, { bounded: true, generator: undefined, gatewayPort: undefined })
      assert.deepStrictEqual(
        [...fed.inputs],
        [
          ["raw-transactions", "a=b.ndjson"],
          ["clicks", "c.ndjson"]
        ]
      )
      assert.deepInclude(yield* parse({ count: Option.some(5) }), { bounded: true })
    })
  )

  it.effect.each<readonly [Partial<PipelineFlags>, RegExp]>([
    [{ input: ["nothing=a.ndjson"] }, /no job of this run takes topic nothing; topics are raw-transactions, clicks/],
    [{ input: ["clicks"] }, /takes TOPIC=FILE\.ndjson, not "clicks"/],
    [{ input: ["clicks="] }, /takes TOPIC=FILE\.ndjson/],
    [{ input: ["=a.ndjson"] }, /takes TOPIC=FILE\.ndjson/],
    [{ input: ["clicks=a", "clicks=b"] }, /topic clicks is given two files/],
    [{ jobs: Option.some("transactions,nonsense") }, /no flow is named nonsense: --jobs takes transactions/],
    [{ jobs: Option.some("constructor") }, /no flow is named constructor/],
    [{ count: Option.some(0) }, /--count takes a number from 1/],
    [{ count: Option.some(5), input: ["clicks=a"] }, /no --input beside it/],
    [{ claimsCache: -1 }, /--claims-cache takes a number from 0/]
  ])("refuses what makes no sense: %j", ([given, says]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(parse(given))
      assert.match(error.message, says)
      assert.notInclude(error.message, "\n")
    })
  )

  it.effect("takes an amount over which claims are large, to the cent", () =>
    Effect.gen(function* () {
      assert.strictEqual(String((yield* parse({ largeClaimsOver: "2500.5" })).settings.largeClaimsOver), "2500.50")
      for (const largeClaimsOver of ["-1", "much", "1.234", ""]) {
        const { message } = yield* Effect.flip(parse({ largeClaimsOver }))
        assert.include(message, "--large-claims-over takes an amount")
      }
    })
  )
})
