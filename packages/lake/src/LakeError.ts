/**
 * What can go wrong with a table, by what the caller should do about it.
 *
 * `reason` decides: CommitConflict, Unavailable → retry later; RequirementFailed → plan anew on the table as it is now;
 * OutcomeUnknown → look at the table before anything else; TableReplaced → what was planned is about a table that is gone,
 * and another has its name: ask whether it is meant for that one; TableMissing, TableExists, SnapshotMissing, Invalid → the
 * request was wrong; Refused (credentials, rights), Full, Corrupt, Unsupported → stop and tell the operator. Of who removes
 * files only: MetadataAhead → again after the table's next commit, and tell the operator if it lasts: the catalog is an older
 * copy then; LocationInDoubt → find out whose the folder is before anything in it goes.
 */
import type { StorageError } from "@frazil/core"
import { Schema } from "effect"
import { FormatError } from "./spec/FormatError.ts"

export class LakeError extends Schema.TaggedError<LakeError>()("LakeError", {
  reason: Schema.Literals([
    "TableMissing",
    "TableReplaced",
    "TableExists",
    "SnapshotMissing",
    "Invalid",
    "CommitConflict",
    "RequirementFailed",
    "OutcomeUnknown",
    "Corrupt",
    "MetadataAhead",
    "LocationInDoubt",
    "Unsupported",
    "Unavailable",
    "Refused",
    "Full"
  ]),
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

const storageReasons: Readonly<Record<StorageError["reason"], LakeError["reason"]>> = {
  // A file that metadata names and that is not there: the table is damaged.
  NotFound: "Corrupt",
  Corrupt: "Corrupt",
  // Names of new files are random: another attempt takes others.
  AlreadyExists: "CommitConflict",
  Full: "Full",
  Refused: "Refused",
  Unavailable: "Unavailable"
}

/** A storage error about `what` ("manifest list"). */
export const fromStorage =
  (what: string) =>
  (error: StorageError): LakeError =>
    new LakeError({ reason: storageReasons[error.reason], message: `${what}: ${error.message}`, cause: error })

/** What a decoder threw about the file at `uri`; anything but a FormatError is a bug and stays a defect. */
export const fromFormat =
  (what: string, uri: string) =>
  (cause: unknown): LakeError => {
    if (cause instanceof FormatError) {
      return new LakeError({ reason: cause.reason, message: `${what} ${uri}: ${cause.message}`, cause })
    }
    throw cause
  }
