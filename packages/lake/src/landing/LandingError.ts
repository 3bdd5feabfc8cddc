/** Why a landing stopped, by what an operator should do; each names the table and the way out. */
import { Schema } from "effect"

export class LandingError extends Schema.TaggedError<LandingError>()("LandingError", {
  /**
   * TableReplaced, TableRolledBack, MarkAheadOfLog, TopicRecreated → look what happened, then accept or refill;
   * SchemaDiffers → the table is not this topic's; Fenced → another instance lands it.
   */
  reason: Schema.Literals([
    "TableReplaced",
    "TableRolledBack",
    "MarkAheadOfLog",
    "TopicRecreated",
    "SchemaDiffers",
    "Fenced"
  ]),
  message: Schema.String
}) {}
