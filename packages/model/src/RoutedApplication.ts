/**
 * Contracts of `internal_checks` and `external_checks`: an application with the way it took, and why.
 *
 * The lending router writes them; the enrichment job reads them.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { applicationKey, LoanApplication } from "./LoanApplication.ts"

class RoutedApplication extends Schema.Opaque<RoutedApplication>()(
  Schema.Struct({
    ...LoanApplication.fields,
    routed_at: Field.timestamp,
    route_reason: Field.text()
  })
) {}

/** Of known customers: decided by what lending knows of them. */
export const InternalChecks = Topic.make("internal_checks", {
  schema: RoutedApplication,
  key: applicationKey,
  eventTime: "applied_at"
})

/** Of everybody else: decided by the credit bureau's score. */
export const ExternalChecks = Topic.make("external_checks", {
  schema: RoutedApplication,
  key: applicationKey,
  eventTime: "applied_at"
})
