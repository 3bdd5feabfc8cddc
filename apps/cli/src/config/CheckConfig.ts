/** `frazil config check`: every declaration decoded, every secret read, nothing connected to. */
import { readSecret, secretsOf } from "@frazil/connect"
import { contracts, DeadLetters } from "@frazil/model"
import { readConnections, readSinks } from "@frazil/platform"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { printJson, printLines } from "../Output.ts"
import { configOptions } from "./ConfigOptions.ts"

export const checkConfig = Command.make(
  "check",
  configOptions,
  Effect.fnUntraced(function* (given) {
    const decoded = yield* readConnections(given.file)
    const declared = yield* readSinks(given.file, { topics: contracts, deadLetterTopic: DeadLetters.name })
    const problems = [...decoded.problems, ...declared.problems].map(({ message }) => message)
    for (const [name, connection] of decoded.connections) {
      for (const [, source] of secretsOf(connection)) {
        yield* readSecret(name, source).pipe(
          Effect.catchTag("ConnectionError", ({ message }) => Effect.sync(() => problems.push(message)))
        )
      }
    }
    const sound = [...decoded.connections.keys()]
    const sinks = declared.sinks.map(({ name }) => name)
    const line = `${given.file}: sound, ${sound.length} connections, ${sinks.length} sinks`
    if (given.json) yield* printJson({ file: given.file, connections: sound, sinks, problems })
    else yield* printLines(problems.length === 0 ? [line] : problems)
    if (problems.length === 0) return
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`
    return yield* new CommandError({ message: `${given.file} cannot be used: ${count}` })
  })
).pipe(Command.withDescription("Checks settings, connections and sinks, and that each secret can be read"))
