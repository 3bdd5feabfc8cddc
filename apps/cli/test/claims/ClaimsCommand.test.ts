/** Claims are made once, the same for a seed, and are what payments ask for. */
import { join } from "node:path"
import { makeSqlLookup, openDuckDbFile } from "@frazil/connect"
import { Claim, claimFailures, claimProblem } from "@frazil/flows"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { temporaryFolder } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const rows = (folder: string) =>
  openDuckDbFile("claims", { kind: "duckdb", file: join(folder, "claims.duckdb") }, "read").pipe(
    Effect.flatMap((client) => client.query("SELECT CAST(c AS VARCHAR) FROM claims c ORDER BY claim_id")),
    Effect.scoped
  )

describe("frazil claims seed", () => {
  it.live("fills the embedded table, and leaves what is there", () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "data")
      const seed = (claims: string, seeded: string) =>
        frazilJson("claims", "seed", "--data", folder, "--claims", claims, "--seed", seeded)
      assert.deepInclude(yield* seed("100", "7"), { claims: 100 })
      const first = yield* rows(folder)
      assert.deepInclude(yield* seed("120", "8"), { claims: 120 })
      assert.deepStrictEqual((yield* rows(folder)).slice(0, 100), first)
      const other = join(yield* temporaryFolder, "data")
      yield* frazilJson("claims", "seed", "--data", other, "--claims", "100", "--seed", "7")
      assert.deepStrictEqual(yield* rows(other), first)
    })
  )

  it.live("makes claims that payments find", () =>
    Effect.gen(function* () {
      const data = join(yield* temporaryFolder, "data")
      yield* frazil(["claims", "seed", "--data", data, "--claims", "3000"])
      const client = yield* openDuckDbFile("claims", { kind: "duckdb", file: join(data, "claims.duckdb") }, "read")
      const lookup = makeSqlLookup({
        client,
        table: "claims",
        key: "claim_id",
        answer: Claim,
        problem: claimProblem,
        failures: claimFailures
      })
      const ids = Array.from({ length: 3_000 }, (_, n) => `CL${String(n + 1).padStart(8, "0")}`)
      const found = yield* lookup.lookupMany!([...ids, "CX00000001"])
      const claims = found.flatMap((each) => (Result.isSuccess(each) ? [each.success] : []))
      assert.strictEqual(claims.length, 3_000)
      const large = claims.filter(({ claim_amount }) => claim_amount.gt(10_000)).length
      assert.isTrue(large > 800 && large < 1_200, `${large} of 3,000 are over 10,000`)
      assert.isTrue(claims.some(({ claim_status }) => claim_status === null))
    })
  )

  it.live("says what it cannot do", () =>
    Effect.gen(function* () {
      assert.include((yield* frazil(["claims", "seed", "--claims", "0"])).error, "--claims must be from 1")
      const unknown = yield* frazil(["claims", "seed", "--connection", "nowhere"])
      assert.include(unknown.error, `there is no connection "nowhere": declare it in frazil.yaml`)
    })
  )
})
