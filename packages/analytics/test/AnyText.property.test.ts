import { assert, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { Analytics, QueryError } from "../src/index.ts"
import { attacks } from "./Attacks.ts"
import { askRows } from "./Queries.ts"
import { analyticsOver, makeTestLake } from "./TestLake.ts"

const pieces = [
  ...attacks.filter(({ sql }) => sql.length < 200).flatMap(({ sql }) => sql.split(" ")),
  ..."SELECT FROM WHERE WITH AT ( ) , ; ' \" $$ $a$ -- /* */ => VERSION TAG \u0000 \ud800 é 𝄞 \\ e'\\' U&'\\' x.y.z transactions.raw \n".split(
    " "
  )
]
const textsTried = 400

it.live("no text takes the service down: each is answered or refused, and nothing is a defect", () =>
  Effect.gen(function* () {
    const lake = yield* makeTestLake(1)
    yield* Effect.gen(function* () {
      const analytics = yield* Analytics
      for (let index = 0; index < textsTried; index++) {
        const words: Array<string> = []
        const length = yield* Random.nextIntBetween(1, 14)
        for (let word = 0; word < length; word++) {
          words.push(pieces[yield* Random.nextIntBetween(0, pieces.length - 1)] ?? "")
        }
        const sql = words.join((yield* Random.nextBoolean) ? " " : "")
        const result = yield* Effect.result(Effect.scoped(analytics.prepare({ sql })))
        if (result._tag === "Failure") {
          assert.instanceOf(result.failure, QueryError, sql)
          assert.notStrictEqual(result.failure.reason, "Failed", `${sql}: ${result.failure.message}`)
        }
      }
      assert.deepStrictEqual(yield* askRows("SELECT count(*) AS n FROM transactions.raw"), [{ n: 1000 }])
    }).pipe(Effect.provide(analyticsOver(lake)), Random.withSeed("texts-1"))
  })
)
