/**
 * `frazil topics write TOPIC`: lines of stdin as records, keyed as the topic's contract says.
 *
 * **Delivery**: an append whose answer was lost is not done twice; what was appended before an error stays. What is
 * missing of a topic with a contract is made.
 */
import { holdJobLock, produceLines } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { Log } from "@frazil/engine"
import { type DataDirectory, existingData, locate, logLayer, Units } from "@frazil/platform"
import { Effect, Option, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { contractOf, keyScannerOf } from "../Declared.ts"
import { refuseInternal } from "./Internal.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson } from "../Output.ts"
import { keyOfField } from "./KeyField.ts"

/** Commands that write at once: each holds a producer's name of its own. */
const writersMax = 16

const refuse = (message: string) => Effect.fail(new CommandError({ message }))

/** A producer's name that no other command holds, until the scope ends: names are few, so that the log keeps few. */
const claimProducer = Effect.fnUntraced(function* (directory: DataDirectory) {
  for (let writer = 0; writer < writersMax; writer++) {
    const name = `topics-write-${writer}`
    const free = yield* holdJobLock({ job: name, dataDirectory: directory.root }).pipe(
      Effect.as(true),
      Effect.catchTag("JobAlreadyRunning", () => Effect.succeed(false))
    )
    if (free) return name
  }
  return yield* refuse(`${writersMax} commands write to ${directory.root} already: wait until one has ended`)
})

/** How records of the topic are keyed. */
const keying = (topic: string, key: Option.Option<string>): Effect.Effect<KeyScanner, CommandError> => {
  const contract = contractOf(topic)
  if (contract !== undefined) {
    return Option.isSome(key)
      ? refuse(`--key: the contract of ${topic} says its key (${contract.key.join(", ") || "none"}): leave it out`)
      : Effect.succeed(keyScannerOf(contract))
  }
  return Effect.succeed(KeyScanner.fromFunction(Option.match(key, { onNone: () => () => null, onSome: keyOfField })))
}

/** Makes the topic where its partitions are known: by its contract, or by `--partitions`. */
const ensureTopic = Effect.fnUntraced(function* (name: string, asked: Option.Option<number>) {
  const log = yield* Log
  const found = (yield* log.topics).find((topic) => topic.name === name)
  const partitions = contractOf(name)?.partitions ?? Option.getOrUndefined(asked)
  if (found !== undefined) {
    if (Option.isNone(asked) || asked.value === found.partitions) return
    return yield* refuse(`topic ${name} has ${found.partitions} partitions: leave --partitions ${asked.value} out`)
  }
  if (partitions === undefined) {
    return yield* refuse(`there is no topic ${name}: look at "frazil topics list", or give --partitions N to make it`)
  }
  yield* log.ensureTopic({ name, partitions })
  yield* note(`made topic ${name} with ${Units.plural(partitions, "partition")}`)
})

const options = {
  topic: Argument.String("TOPIC").pipe(Argument.withDescription("Name of the topic")),
  key: Flag.String("key").pipe(
    Flag.withDescription("Field to key records by, where no contract of the topic says it (default: no key)"),
    Flag.withMetavar("FIELD"),
    Flag.optional
  ),
  partitions: Flag.Int("partitions").pipe(
    Flag.withDescription("Make the topic with so many, where no contract of the topic says it"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  ...commonOptions
}

type Given = Command.Command.Config.Infer<typeof options>

const writeLines = Effect.fnUntraced(function* (given: Given, directory: DataDirectory, keys: KeyScanner) {
  const { stdin } = yield* Stdio.Stdio
  yield* ensureTopic(given.topic, given.partitions)
  const producer = yield* claimProducer(directory)
  return yield* produceLines({ topic: given.topic, keys, producer, bytes: stdin }).pipe(
    Effect.catchTag("PlatformError", (error) => refuse(`standard input cannot be read: ${error.message}`))
  )
}, Effect.scoped)

export const writeTopic = Command.make(
  "write",
  options,
  Effect.fnUntraced(function* (given) {
    yield* refuseInternal(given.topic)
    const keys = yield* keying(given.topic, given.key)
    const mayMake = contractOf(given.topic) !== undefined || Option.isSome(given.partitions)
    const directory = mayMake ? locate(given) : yield* existingData(given)
    const { records, tooLong } = yield* writeLines(given, directory, keys).pipe(Effect.provide(logLayer(directory)))
    if (given.json) yield* printJson({ topic: given.topic, records, too_long: tooLong })
    const cut = tooLong === 0 ? "" : `, ${Units.plural(tooLong, "line")} too long and cut`
    yield* note(`${Units.plural(records, "record")} to ${given.topic}${cut}`)
  })
).pipe(
  Command.withDescription("Appends lines of standard input to a topic, each line a record"),
  Command.withExamples([
    { command: "frazil topics write raw-transactions < day.ndjson", description: "Append a file's lines" }
  ])
)
