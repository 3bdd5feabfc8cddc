/** What maintenance cannot do, or could not do for every table: one line for a person. */
import { Schema } from "effect"

export class MaintenanceError extends Schema.TaggedError<MaintenanceError>()("MaintenanceError", {
  message: Schema.String
}) {}
