/**
 * `frazil topics redrive TOPIC`: failed records go back to where they came from, each exactly once.
 *
 * Beside running jobs or not: the records wait in their topic. What was sent is remembered in the log.
 */
import { redrive } from "@frazil/engine"
import { redrives } from "@frazil/flows"
import { existingData, logLayer, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson } from "../Output.ts"

interface Condition {
  readonly field: string
  readonly value: string
}

const parseCondition = (text: string): Condition | undefined => {
  const at = text.indexOf("=")
  return at < 1 ? undefined : { field: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }
}

const options = {
  topic: Argument.String("TOPIC").pipe(
    Argument.withDescription(`A topic of failures: ${redrives.map(({ from }) => from.name).join(", ")}`)
  ),
  where: Flag.String("where").pipe(
    Flag.withDescription("Only records whose field has this value. Repeatable: all must hold"),
    Flag.withMetavar("FIELD=VALUE"),
    Flag.mapEffect((text) => {
      const condition = parseCondition(text)
      const expected = "FIELD=VALUE, such as enrichment_status=DB_ERROR"
      return condition === undefined
        ? Effect.fail(new CliError.InvalidValue({ option: "where", value: text, expected, kind: "flag" }))
        : Effect.succeed(condition)
    }),
    Flag.atLeast(0)
  ),
  ...commonOptions
}

const routeOf = Effect.fnUntraced(function* (topic: string) {
  const route = redrives.find(({ from }) => from.name === topic)
  if (route !== undefined) return route
  const known = redrives.map(({ from }) => from.name).join(", ")
  return yield* new CommandError({
    message: `nothing says where records of ${topic} came from: redrive takes ${known}`
  })
})

export const redriveTopic = Command.make(
  "redrive",
  options,
  Effect.fnUntraced(function* (given) {
    const { from, to } = yield* routeOf(given.topic)
    const unknown = given.where.find(({ field }) => !from.shape.byName.has(field))
    if (unknown !== undefined) {
      const fields = from.shape.fields.map(({ name }) => name).join(", ")
      return yield* new CommandError({
        message: `--where: ${from.name} has no field ${unknown.field}; it has ${fields}`
      })
    }
    const directory = yield* existingData(given)
    const redriven = yield* redrive({
      from,
      to,
      where: (record) => given.where.every(({ field, value }) => String(record[field]) === value)
    }).pipe(Effect.provide(logLayer(directory)))
    const { sent, sentBefore, unfit } = redriven
    if (given.json) yield* printJson({ from: from.name, to: to.name, sent, sent_before: sentBefore, unfit })
    const before = sentBefore === 0 ? "" : `, ${Units.count(sentBefore)} were sent before`
    const left = unfit === 0 ? "" : `, ${Units.count(unfit)} do not fit ${to.name} and stay`
    yield* note(`${Units.plural(sent, "record")} of ${from.name} to ${to.name}${before}${left}`)
  })
).pipe(
  Command.withDescription("Sends failed records again, each once, to the topic they came from"),
  Command.withExamples([
    {
      command: "frazil topics redrive failed-payments --where enrichment_status=DB_ERROR",
      description: "Send again what failed while the database was down"
    }
  ])
)
