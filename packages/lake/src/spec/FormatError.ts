/**
 * What the pure half of the lake throws when bytes or text are not what the Iceberg specification says.
 *
 * `spec/` and the Avro codec do no I/O and know no file: they throw this with the place inside the document. Whoever read
 * the file turns it into a `LakeError` (`Corrupt` or `Unsupported`) that names the file.
 */
import { Data } from "effect"

/** `Corrupt`: breaks the specification. `Unsupported`: legal Iceberg that this library does not do yet. */
export class FormatError extends Data.TaggedError("FormatError")<{
  readonly reason: "Corrupt" | "Unsupported"
  readonly message: string
}> {}

/** Throws for a document that breaks the specification: `where` is a path inside it, like `snapshots[3].summary`. */
export const corrupt = (where: string, what: string): never => {
  throw new FormatError({ reason: "Corrupt", message: where === "" ? what : `${where}: ${what}` })
}

/** Throws for a part of the format that is legal and not done here. */
export const unsupported = (what: string): never => {
  throw new FormatError({ reason: "Unsupported", message: what })
}
