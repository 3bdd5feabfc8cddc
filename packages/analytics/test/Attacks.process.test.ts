import { writeFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { QueryError } from "../src/index.ts"
import { attacks, type Attack } from "./Attacks.ts"
import { askRows, refusal } from "./Queries.ts"
import { analyticsOver, makeTestLake } from "./TestLake.ts"

const refusals: ReadonlyArray<QueryError["reason"]> = ["Syntax", "Refused", "TableMissing", "Invalid"]
const endings: ReadonlyArray<QueryError["reason"]> = ["LimitReached", "Invalid", "Failed", "Syntax"]

/** Tight, so that the list is through in a moment; an answer beside it must not notice. */
const limits = { timeoutMs: 600, memoryBytesMax: 64 * 1024 * 1024, rowsMax: 1000 }
/** What is refused is refused before it runs: time enough for a busy machine to say so. */
const limitsOfRefused = { ...limits, timeoutMs: 120_000 }

const slots = 4

const wrong = (attack: Attack, error: QueryError): string | undefined => {
  const expected = attack.outcome === "refused" ? refusals : endings
  return expected.includes(error.reason) ? undefined : `${attack.sql.slice(0, 100)}: ${error.reason} ${error.message}`
}

it.live("every attack is refused or ended, and the service answers others meanwhile", () =>
  Effect.gen(function* () {
    const lake = yield* makeTestLake()
    const file = lake.snapshots[0]?.files[0] ?? ""
    const other = `${lake.folder}/secret.csv`
    writeFileSync(other, "a,b\nsecret,1\n")
    yield* Effect.gen(function* () {
      const problemOf = Effect.fnUntraced(function* (attack: Attack) {
        const sql = attack.sql.replaceAll("OTHER", other).replaceAll("FILE", file)
        const error = yield* refusal({ sql, limits: attack.outcome === "refused" ? limitsOfRefused : limits }).pipe(
          Effect.catchDefect((defect) => Effect.succeed(new QueryError({ reason: "Busy", message: String(defect) })))
        )
        assert.isFalse(error.message.includes("secret,1"))
        return wrong(attack, error) ?? []
      })
      // what is ended takes its time: several at once
      const problems = yield* Effect.forEach(attacks, problemOf, { concurrency: slots })
      assert.deepStrictEqual(problems.flat(), [])
      assert.deepStrictEqual(yield* askRows("SELECT count(*) AS n FROM transactions.raw"), [{ n: 3000 }])
    }).pipe(Effect.provide(analyticsOver(lake, { slots })))
  })
)
