/**
 * Contract of `failed_applications`: applications that nobody could decide on, because the bureau's answer made no sense
 * or, where a policy sets a deadline, did not come in time.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { LoanApplication } from "./LoanApplication.ts"

class FailedApplication extends Schema.Opaque<FailedApplication>()(
  Schema.Struct({
    ...LoanApplication.fields,
    error: Field.oneOf(["BUREAU_INVALID_ANSWER", "BUREAU_TIMEOUT", "BUREAU_UNAVAILABLE"]),
    attempts: Field.int({ min: 0 }),
    /** For people; holds no value of the record. */
    message: Field.text()
  })
) {}

export const FailedApplications = Topic.make("failed_applications", {
  schema: FailedApplication,
  key: "application_id",
  eventTime: "applied_at"
})
