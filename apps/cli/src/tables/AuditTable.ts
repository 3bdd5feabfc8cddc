/** `frazil tables audit T`: recounts a table against its log; exit code 1 when they differ. */
import { auditTable } from "@frazil/lake"
import { catalogLayer, duckDbLayer, existingLake, logLayer, Units } from "@frazil/platform"
import { Effect, Layer, Stdio } from "effect"
import { Command } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { landingOf } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { auditJson, auditLines, verdict } from "./AuditText.ts"
import { namedTable, tableArgument } from "./NamedTable.ts"

const audit = Effect.fnUntraced(function* (name: string) {
  yield* namedTable(name)
  const landing = landingOf(name)
  if (landing === undefined) {
    return yield* new CommandError({ message: `no topic lands in ${name}: there is no log to recount it against` })
  }
  const stdio = yield* Stdio.Stdio
  return yield* auditTable(landing, {
    onProgress: (partition, offset, next) =>
      offset === 0
        ? Effect.void
        : note(`${name}: partition ${partition}, offset ${Units.count(offset)} of ${Units.count(next)}`).pipe(
            Effect.provideService(Stdio.Stdio, stdio)
          )
  })
})

export const auditTableCommand = Command.make(
  "audit",
  { table: tableArgument, ...commonOptions },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const layers = Layer.mergeAll(logLayer(directory), catalogLayer(directory), duckDbLayer(directory))
    const report = yield* audit(given.table).pipe(Effect.provide(layers))
    yield* given.json ? printJson(auditJson(report)) : printLines(auditLines(report))
    if (!report.matches) return yield* new CommandError({ message: verdict(report) })
  })
).pipe(
  Command.withDescription("Recounts a landed table against its log: every valid record must be one row, once"),
  Command.withExamples([
    { command: "frazil tables audit transactions.raw", description: "Also beside a running pipeline" }
  ])
)
