/**
 * The table of claims, as payments ask it: a claim by its id, and what its failures mean.
 *
 * `@frazil/connect` makes its layer over PostgreSQL or a DuckDB file; no message of it names a claim.
 */
import { Field } from "@frazil/core"
import { Lookup } from "@frazil/engine"
import { Schema } from "effect"

/** What a payment is enriched with; the columns of the table `claims`, whose key is `claim_id`. */
export class Claim extends Schema.Opaque<Claim>()(
  Schema.Struct({
    member_id: Field.text(),
    claim_amount: Field.decimal(10, 2),
    claim_status: Field.optional(Field.text())
  })
) {}

const message = { message: Schema.String }

class ClaimNotFound extends Schema.TaggedError<ClaimNotFound>()("ClaimNotFound", message) {}

/** The database failed, or holds a claim that makes no sense: then `passing` is false, and asking again is no use. */
class DbError extends Schema.TaggedError<DbError>()("DbError", { ...message, passing: Schema.Boolean }) {}

class DbTimeout extends Schema.TaggedError<DbTimeout>()("DbTimeout", message) {}

type ClaimFailure = ClaimNotFound | DbError | DbTimeout

/** Asked by a claim_id. */
export class Claims extends Lookup.Service<Claims, string, Claim, ClaimFailure>()("@frazil/flows/Claims", {
  answer: Claim,
  failures: {
    ClaimNotFound: "absent",
    DbError: ({ passing }) => (passing ? "transient" : "final"),
    DbTimeout: "transient"
  },
  timeout: (text) => new DbTimeout({ message: text }),
  unavailable: (text) => new DbError({ message: text, passing: true })
}) {}

/** What is wrong with a claim that decodes; undefined when nothing is. */
export const claimProblem = (claim: Claim): string | undefined =>
  claim.claim_amount.lt(0) ? "its claim_amount is negative" : undefined

/** A connector's findings in the words of claims. */
export const claimFailures = {
  absent: (text: string): ClaimFailure => new ClaimNotFound({ message: text }),
  invalid: (text: string): ClaimFailure => new DbError({ message: text, passing: false }),
  failed: (text: string): ClaimFailure => new DbError({ message: text, passing: true }),
  timedOut: (text: string): ClaimFailure => new DbTimeout({ message: text })
}
