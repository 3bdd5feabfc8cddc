/** `frazil config check`: every declaration decoded, every secret read, nothing connected to. */
import { readSecret, readStateKeys, secretsOf } from "@frazil/connect"
import { contracts, DeadLetters } from "@frazil/model"
import { readConnections, readSinks, readStateEncryption } from "@frazil/platform"
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
    const encrypted = yield* readStateEncryption(given.file).pipe(
      Effect.flatMap((encryption) =>
        encryption === undefined ? Effect.succeed(false) : Effect.as(readStateKeys(encryption), true)
      ),
      Effect.catchTag("ConnectionError", ({ message }) => Effect.sync(() => problems.push(message) > 0))
    )
    const sound = [...decoded.connections.keys()]
    const sinks = declared.sinks.map(({ name }) => name)
    const state = encrypted ? ", state encrypted" : ""
    const line = `${given.file}: sound, ${sound.length} connections, ${sinks.length} sinks${state}`
    if (given.json)
      yield* printJson({ file: given.file, connections: sound, sinks, stateEncrypted: encrypted, problems })
    else yield* printLines(problems.length === 0 ? [line] : problems)
    if (problems.length === 0) return
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`
    return yield* new CommandError({ message: `${given.file} cannot be used: ${count}` })
  })
).pipe(Command.withDescription("Checks settings, connections and sinks, and that each secret can be read"))
