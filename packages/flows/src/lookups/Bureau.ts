/**
 * The credit bureau, as lending asks it: a score for a social security number, and what its failures mean.
 *
 * `@frazil/connect` makes its layer (`POST /v1/score`); no message of it names an applicant.
 */
import { Field } from "@frazil/core"
import { Lookup } from "@frazil/engine"
import { Schema } from "effect"

const scoreMin = 300
const scoreMax = 850

class BureauScore extends Schema.Opaque<BureauScore>()(
  Schema.Struct({ score: Field.int({ min: scoreMin, max: scoreMax }) })
) {}

/** What `POST /v1/score` answers. */
export const BureauWire = Schema.Struct({ ssn: Schema.String, score: BureauScore.fields.score })

const message = { message: Schema.String }

/** The bureau refused for good: a person must look. */
class BureauRejected extends Schema.TaggedError<BureauRejected>()("BureauRejected", message) {}

/** Its answer makes no sense; asking again would not help. */
class BureauInvalidAnswer extends Schema.TaggedError<BureauInvalidAnswer>()("BureauInvalidAnswer", message) {}

class BureauTimeout extends Schema.TaggedError<BureauTimeout>()("BureauTimeout", message) {}

/** It could not answer now; with `overloaded` it asked to be left alone, perhaps for so long. */
class BureauUnavailable extends Schema.TaggedError<BureauUnavailable>()("BureauUnavailable", {
  ...message,
  overloaded: Schema.Boolean,
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {}

type BureauFailure = BureauRejected | BureauInvalidAnswer | BureauTimeout | BureauUnavailable

/** Asked by a social security number. */
export class Bureau extends Lookup.Service<Bureau, string, BureauScore, BureauFailure>()("@frazil/flows/Bureau", {
  answer: BureauScore,
  failures: {
    BureauRejected: "final",
    BureauInvalidAnswer: "final",
    BureauTimeout: "transient",
    BureauUnavailable: ({ overloaded }) => (overloaded ? "overloaded" : "transient")
  },
  timeout: (text) => new BureauTimeout({ message: text }),
  unavailable: (text) => new BureauUnavailable({ message: text, overloaded: false })
}) {}

/** A connector's findings in the bureau's words. */
export const bureauFailures = {
  rejected: (text: string): BureauFailure => new BureauRejected({ message: text }),
  invalid: (text: string): BureauFailure => new BureauInvalidAnswer({ message: text }),
  unavailable: (text: string): BureauFailure => new BureauUnavailable({ message: text, overloaded: false }),
  overloaded: (text: string, retryAfterMs: number | undefined): BureauFailure =>
    new BureauUnavailable({ message: text, overloaded: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}
