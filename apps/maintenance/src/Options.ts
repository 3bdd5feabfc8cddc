/** Options of the actions: which tables, thresholds, and whether to do it at all. */
import { Flags } from "@frazil/platform"
import { Config, Effect, Option } from "effect"
import { CliError, Flag } from "effect/cli"
import { type Policy, type Read, readAge, readCount, readOrphanAge, readSize } from "./Policy.ts"

const threshold = (name: string, metavar: string, description: string, read: (text: string) => Read<number>) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.withFallbackConfig(Config.String(`FRAZIL_${name.replaceAll("-", "_").toUpperCase()}`)),
    Flag.mapEffect((text) => {
      const value = read(text)
      return typeof value === "number"
        ? Effect.succeed(value)
        : Effect.fail(new CliError.InvalidValue({ option: name, value: text, expected: value.expected, kind: "flag" }))
    }),
    Flag.optional
  )

export const commonOptions = {
  ...Flags.location,
  table: Flag.String("table").pipe(
    Flag.withDescription("Only this table, namespace.table (repeatable; default: all of the catalog)"),
    Flag.withMetavar("TABLE"),
    Flag.atLeast(0)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription(
      "Change nothing, and report what would be done (compact: rewrites all the same, to throw away)"
    ),
    Flag.withDefault(false)
  ),
  json: Flags.json,
  verbose: Flags.verbose
}

export const compactOptions = {
  targetFileSize: threshold("target-file-size", "128MB", "Size of the files that compaction makes", readSize),
  minInputFiles: threshold(
    "min-input-files",
    "5",
    "So many small files of a partition are worth a rewrite",
    readCount(2)
  ),
  compactBytesMax: threshold("compact-bytes-max", "10GB", "A run rewrites at most so much of a table", readSize),
  compactFilesMax: threshold(
    "compact-files-max",
    "10000",
    "A run rewrites at most so many files of a table",
    readCount(2)
  ),
  compactFor: threshold("compact-for", "2h", "A run begins nothing more of a table after this time", readAge)
}

export const expireOptions = {
  snapshotsOlderThan: threshold("snapshots-older-than", "3d", "Snapshots older than this may go", readAge),
  snapshotsKeep: threshold("snapshots-keep", "10", "So many snapshots of each branch stay, however old", readCount(1))
}

export const orphansOptions = {
  orphansOlderThan: threshold(
    "orphans-older-than",
    "3d",
    "Only files last written longer ago are removed",
    readOrphanAge
  ),
  formerTable: Flag.String("former-table").pipe(
    Flag.withDescription(
      "What a table had that lay in the folder before and that no catalog has any more is an orphan too (repeatable)"
    ),
    Flag.withMetavar("UUID"),
    Flag.atLeast(0)
  )
}

type Given = Partial<
  Record<keyof typeof compactOptions | keyof typeof expireOptions | "orphansOlderThan", Option.Option<number>>
>

export const policyOf = (given: Given): Policy => {
  const value = (option: Option.Option<number> | undefined): number | undefined =>
    option === undefined ? undefined : Option.getOrUndefined(option)
  return {
    fileBytesTarget: value(given.targetFileSize),
    inputFilesMin: value(given.minInputFiles),
    compactBytesMax: value(given.compactBytesMax),
    compactFilesMax: value(given.compactFilesMax),
    compactMsMax: value(given.compactFor),
    snapshotAgeMsMax: value(given.snapshotsOlderThan),
    snapshotsKeptMin: value(given.snapshotsKeep),
    orphanAgeMsMin: value(given.orphansOlderThan)
  }
}
