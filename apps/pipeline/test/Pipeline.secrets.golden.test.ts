/**
 * A whole run among other systems that quote what they are told: no secret and no person is in anything that it says. The same
 * search finds each that is planted.
 */
import { assert, describe, it } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { Effect, Metric } from "effect"
import { makeCollector, search } from "./support/Search.ts"
import { needles, secretRun, secrets } from "./support/SecretRun.ts"

const placesOf = (found: ReadonlyArray<string>) => [...new Set(found.map((line) => line.replace(/ says .*/, "")))]

describe("what a run says", () => {
  it.live("holds no secret, no number and no name", () =>
    Effect.gen(function* () {
      const collector = makeCollector()
      const { left, told } = yield* secretRun(collector)
      assert.deepStrictEqual(search(collector.said, needles), [])
      // it was a run that could have told: all were used, and there was much to search
      const used = told.join("\n")
      const basic = Buffer.from(`frazil:${secrets.user}`).toString("base64")
      for (const secret of [secrets.token, secrets.password, basic]) assert.include(used, secret)
      assert.match(used, /"webhook-signature":"v1,/)
      const places = placesOf(collector.said.map(({ place }) => `${place} says `))
      for (const place of ["span", "the screen", "the gateway at /metrics", "frazil config show", "a start"])
        assert.include(places, place)
      const secretNeedles = new Map([...needles].filter(([name]) => name.startsWith("the secret")))
      assert.deepStrictEqual(
        search(
          left.map(({ file, text }) => ({ place: file, text })),
          secretNeedles
        ),
        []
      )
    })
  )

  it.live("is searched so that whatever is planted is found", () =>
    Effect.gen(function* () {
      const collector = makeCollector()
      const number = needles.get("the number of application 7") ?? ""
      const plant = Effect.gen(function* () {
        yield* Effect.logTrace("asking about", { ssn: number })
        yield* Effect.void.pipe(
          Effect.withSpan("planted", {
            attributes: { authorization: Buffer.from(`Bearer ${secrets.token}`).toString("base64") }
          })
        )
        yield* Effect.ignore(Effect.withSpan(Effect.fail(new Error(`refused ${secrets.password}`)), "failing"))
        const metric = Metric.counter("frazil_planted_total", { incremental: true })
        yield* Metric.update(Metric.withAttributes(metric, { job: number }), 1)
        yield* Effect.sync(() => console.warn(`signed with ${secrets.signing}`))
        const log = yield* Log
        yield* log.ensureTopic({ name: `of-${number}`, partitions: 1 })
      })
      yield* secretRun(collector, plant)
      const found = search(collector.said, needles)
      for (const expected of [
        "log says the number of application 7",
        "span says the secret token",
        "span says the secret password",
        "console.warn says the secret signing",
        "the gateway at /metrics says the number of application 7",
        "the gateway at /v1/topics says the number of application 7",
        "frazil topics list --data says the number of application 7"
      ])
        assert.include(found, expected)
    })
  )
})
