/**
 * Made-up claims in a database: what `frazil claims seed` does, and the pipeline's demo.
 */
import type { SqlClient } from "@frazil/connect"
import { Effect } from "effect"
import { claimRows, claimsTable } from "./ClaimRows.ts"

/** Claims that generated payments speak of, unless told otherwise. */
export { claimsCountDefault } from "../generate/Payments.ts"

/** Claims that are there stay as they are; gives how many there are. `claims` from 1 to 99,999,999. */
export const seedClaims = Effect.fnUntraced(function* (
  client: SqlClient,
  { claims, seed }: { readonly claims: number; readonly seed: number }
) {
  yield* client.query(claimsTable)
  yield* client.query(claimRows(claims, seed))
  const [row] = yield* client.query("SELECT CAST(count(*) AS VARCHAR) FROM claims")
  return Number(row?.[0])
})
