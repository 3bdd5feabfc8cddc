/** No query tells anything of a personal value: over tables that differ in nothing else, all answers are the same. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Analytics, personalColumns } from "../src/index.ts"
import { maskAttacks } from "./MaskAttacks.ts"
import { makePeopleLake, People, type PeopleLake } from "./PeopleLake.ts"
import { ask, askRows } from "./Queries.ts"
import { analyticsOver } from "./TestLake.ts"

const personal = personalColumns([People])

/** One of two that a busy machine gave no time would answer otherwise than the other. */
const limits = { timeoutMs: 240_000 }

/** Rows, or what went wrong: all that somebody gets to see; paths of the lake are the same in both. */
const seen = (lake: PeopleLake, sql: string): Effect.Effect<string, never, Analytics> =>
  Effect.map(Effect.result(ask({ sql: sql.replaceAll("FILE", lake.file), limits })), (result) => {
    const shown = Result.isSuccess(result)
      ? { columns: result.success.columns, rows: result.success.rows }
      : { reason: result.failure.reason, message: result.failure.message, hint: result.failure.hint }
    return JSON.stringify(shown).replaceAll(lake.folder, "")
  })

/** Numbers that somebody may know, and look for. */
const knownNumbers = (lake: PeopleLake) =>
  askRows("SELECT ssn FROM lending.people WHERE id IN ('P5', 'P6') ORDER BY id").pipe(
    Effect.map((rows) => rows.map(({ ssn }) => String(ssn))),
    Effect.provide(analyticsOver(lake))
  )

const answers = (lake: PeopleLake, [one = "", two = ""]: ReadonlyArray<string>, masked: boolean) =>
  Effect.forEach(maskAttacks, ({ sql }) => seen(lake, sql.replaceAll("ONE", one).replaceAll("TWO", two)), {
    concurrency: 2
  }).pipe(Effect.provide(analyticsOver(lake, { personal: masked ? personal : [] })))

describe("a masked table", () => {
  it.live("answers no attack by what is personal", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* makePeopleLake(1), yield* makePeopleLake(2)]
      const known = yield* knownNumbers(one)
      const differing = Effect.fnUntraced(function* (masked: boolean) {
        const both = [answers(one, known, masked), answers(other, known, masked)] as const
        const [a, b] = yield* Effect.all(both, { concurrency: "unbounded" })
        return maskAttacks.filter((_, at) => a[at] !== b[at]).map(({ sql }) => sql)
      })
      assert.deepStrictEqual(yield* differing(true), [])
      // without the mask each of them tells something: the list has teeth
      assert.deepStrictEqual(
        yield* differing(false),
        maskAttacks.filter(({ harmless }) => harmless !== true).map(({ sql }) => sql)
      )
    })
  )
})
