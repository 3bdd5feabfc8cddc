/**
 * `frazil tables audit T`: recounts a table against itself, and a landed one against its log; exit code 1 when something differs.
 */
import { auditFacts, type AuditReport, auditTable, type FactsReport, type Landing, repairFacts } from "@frazil/lake"
import {
  catalogLayer,
  type DataDirectory,
  duckDbLayer,
  existingLake,
  logLayer,
  storageLayer,
  Units
} from "@frazil/platform"
import { Effect, Layer, Stdio } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { landingOf } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { auditJson, auditLines, verdict } from "./AuditText.ts"
import { factsJson, factsLines, factsVerdict, repairLines } from "./FactsText.ts"
import { namedTable, tableArgument } from "./NamedTable.ts"

interface Given {
  readonly table: string
  readonly json: boolean
  readonly repair: boolean
  readonly dryRun: boolean
}

/** The table against itself, repaired when asked. */
const facts = Effect.fnUntraced(function* ({ dryRun, repair, table }: Given) {
  const { identifier } = yield* namedTable(table)
  if (!repair) return { report: yield* auditFacts(identifier), repaired: [] }
  const { after, repaired } = yield* repairFacts(identifier, { dryRun })
  return { report: after, repaired }
})

/** The landed table against its log. What keeps it from being read is told by its facts. */
const recount = Effect.fnUntraced(function* (directory: DataDirectory, landing: Landing, { problems }: FactsReport) {
  const stdio = yield* Stdio.Stdio
  const layers = Layer.mergeAll(logLayer(directory), catalogLayer(directory), duckDbLayer(directory))
  return yield* auditTable(landing, {
    onProgress: (partition, offset, next) =>
      offset === 0
        ? Effect.void
        : note(`${landing.table}: partition ${partition}, offset ${Units.count(offset)} of ${Units.count(next)}`).pipe(
            Effect.provideService(Stdio.Stdio, stdio)
          )
  }).pipe(
    Effect.provide(layers),
    Effect.catchTag(["LakeError", "DuckDbError"], (error) =>
      problems.length === 0
        ? Effect.fail(error)
        : Effect.as(note(`it cannot be recounted against its log: ${error.message}`), undefined)
    )
  )
})

const print = Effect.fnUntraced(function* (
  { dryRun, json, table }: Given,
  { repaired, report }: Effect.Success<ReturnType<typeof facts>>,
  log: AuditReport | undefined
) {
  const matches = report.problems.length === 0 && (log?.matches ?? true)
  if (!json) {
    return yield* printLines([
      ...(log === undefined ? [] : auditLines(log)),
      ...repairLines(repaired, dryRun),
      ...factsLines(report)
    ])
  }
  const told = log === undefined ? { table, topic: null } : auditJson(log)
  yield* printJson({ ...told, matches, facts: factsJson(report, repaired) })
})

export const auditTableCommand = Command.make(
  "audit",
  {
    table: tableArgument,
    ...commonOptions,
    repair: Flag.Boolean("repair").pipe(
      Flag.withDescription("Write anew what follows from the files: sizes, counts, bounds, summaries; never rows"),
      Flag.withDefault(false)
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("With --repair: say what would be repaired, and change nothing"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* (given) {
    if (given.dryRun && !given.repair) return yield* new CommandError({ message: "--dry-run goes with --repair" })
    const directory = yield* existingLake(given)
    const layers = Layer.mergeAll(catalogLayer(directory), duckDbLayer(directory), storageLayer(directory))
    const found = yield* facts(given).pipe(Effect.provide(layers))
    const landing = landingOf(given.table)
    const log = landing === undefined ? undefined : yield* recount(directory, landing, found.report)
    yield* print(given, found, log)
    if (log !== undefined && !log.matches) return yield* new CommandError({ message: verdict(log) })
    if (found.report.problems.length > 0) return yield* new CommandError({ message: factsVerdict(found.report) })
  })
).pipe(
  Command.withDescription(
    "Recounts a table: against its files, and a landed one against its log, of which every valid record must be one row, once"
  ),
  Command.withExamples([
    { command: "frazil tables audit transactions.raw", description: "Also beside a running pipeline" },
    {
      command: "frazil tables audit transactions.raw --repair --dry-run",
      description: "What would be written anew of its manifests"
    }
  ])
)
