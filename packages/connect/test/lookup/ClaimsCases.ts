/**
 * What any lookup of claims must do, whatever database holds them: run over DuckDB here, over PostgreSQL with its server.
 */
import { claimFailures, Claim, claimProblem } from "@frazil/flows"
import { assert } from "@effect/vitest"
import { Effect, Result } from "effect"
import { makeSqlLookup, type SqlClient } from "../../src/index.ts"

export const claimsTable = `CREATE TABLE claims (
  claim_id VARCHAR PRIMARY KEY, member_id VARCHAR, claim_amount DECIMAL(10,2), claim_status VARCHAR, created_date TIMESTAMP)`

const rows = `INSERT INTO claims VALUES
  ('CL1', 'ME1', 12345678.90, 'open', '2026-01-14 12:00:00'), ('CL2', 'ME2', 0.00, NULL, NULL),
  ('null-member', NULL, 1.00, 'open', NULL), ('null-amount', 'ME3', NULL, 'open', NULL), ('negative', 'ME4', -0.01, 'open', NULL),
  ('it''s "quoted"', 'ME5', 5.00, 'ünïcode', NULL)`

export const claimsLookup = (client: SqlClient, table = "claims") =>
  makeSqlLookup({ client, table, key: "claim_id", answer: Claim, problem: claimProblem, failures: claimFailures })

export const claimsCases = Effect.fnUntraced(function* (client: SqlClient) {
  yield* client.query("DROP TABLE IF EXISTS claims")
  yield* client.query(claimsTable)
  yield* client.query(rows)
  const { lookup, lookupMany } = claimsLookup(client)
  assert(lookupMany !== undefined)
  const keys = ["CL2", "missing", "CL1", "null-member", "CL1", "null-amount", "negative", `it's "quoted"`]
  const answers = yield* lookupMany(keys)
  const shown = answers.map((each) =>
    Result.isSuccess(each)
      ? [each.success.member_id, each.success.claim_amount.toString(), each.success.claim_status]
      : { ...each.failure, message: each.failure.message }
  )
  const open = ["ME1", "12345678.90", "open"]
  assert.deepStrictEqual(shown[0], ["ME2", "0.00", null])
  assert.deepStrictEqual([shown[2], shown[4]], [open, open])
  assert.deepStrictEqual(shown[7], ["ME5", "5.00", "ünïcode"])
  assert.deepInclude(shown[1], { _tag: "ClaimNotFound" })
  for (const [at, message] of [
    [3, "table claims has a row that makes no sense: its member_id is NULL"],
    [5, "table claims has a row that makes no sense: its claim_amount is NULL"],
    [6, "table claims has a row that makes no sense: its claim_amount is negative"]
  ] as const) {
    assert.deepInclude(shown[at], { _tag: "DbError", passing: false, message })
  }
  assert.strictEqual((yield* lookup("CL1")).member_id, "ME1")
  assert.strictEqual((yield* Effect.flip(lookup("missing")))._tag, "ClaimNotFound")
  const failure = yield* Effect.flip(claimsLookup(client, "nowhere").lookup("CL1"))
  assert.deepInclude(failure, { _tag: "DbError", passing: true })
  assert.notInclude(failure.message, "CL1")
})
