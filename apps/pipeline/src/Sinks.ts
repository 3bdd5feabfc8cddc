/**
 * Declared sinks beside the jobs: each opened before anything runs, then delivering until the run ends.
 *
 * In a bounded run a sink ends when its topic is complete and delivered, and fails the run when its target takes nothing.
 * A sink that another pipeline on the same data directory runs already is left to that one; instances on one Kafka log share
 * them out.
 */
import { type DeclaredSink, openSink, type Refused, runSink, sinkShard } from "@frazil/connect"
import { Encoder, makeRecordBuilder, Timestamp } from "@frazil/core"
import { type Append, Log, shardWork, whileMine } from "@frazil/engine"
import { contracts, DeadLetters, makeDeadLetter } from "@frazil/model"
import { type DataDirectory, readSinks } from "@frazil/platform"
import { Clock, Effect } from "effect"
import type { Completion } from "./Completion.ts"
import { OptionError } from "./Options.ts"
import { holdLock } from "./Place.ts"
import type { Screen } from "./Screen.ts"

/** Somebody waits for a bounded run to end, one way or the other: some 3 s of pauses. */
const failuresInRowMax = 5

/** The sinks of a settings file; fails on the first problem, and says how many there are. */
export const declaredSinks = Effect.fnUntraced(function* (path: string) {
  const { problems, sinks } = yield* readSinks(path, { topics: contracts, deadLetterTopic: DeadLetters.name })
  const [first] = problems
  if (first === undefined) return sinks
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more: frazil config check)`
  return yield* new OptionError({ message: `${path}: ${first.message}${more}` })
})

const encode = Encoder.make(DeadLetters)

const deadLetter = Effect.fnUntraced(function* ({ message, record }: Refused<object>) {
  const failedAt = Timestamp.make(yield* Clock.currentTimeMillis)
  const { json, offset, partition, topic } = record
  const failure = { reason: "sink_refused", field: undefined, message }
  const value = new TextEncoder().encode(json)
  const builder = makeRecordBuilder()
  const letter = makeDeadLetter({ topic, partition, offset, failure, value, headers: undefined, failedAt })
  builder.addText(encode(letter), null)
  return { topic: DeadLetters.name, partition: 0, records: builder.take() } satisfies Append
})

/** Says when a sink begins to fail and when all of it works again, not each attempt between. */
const makeTeller = (name: string, screen: Screen) => {
  let failing = 0
  return (message: string | undefined) =>
    Effect.sync(() => {
      const before = failing
      failing = message === undefined ? 0 : failing + 1
      if (before === 0 && message !== undefined) screen.say(`sink ${name} waits: ${message}`)
      if (before > 0 && message === undefined) screen.say(`sink ${name} delivers again`)
    })
}

interface SinksOptions {
  readonly sinks: ReadonlyArray<DeclaredSink>
  readonly bounded: boolean
  /** Instances share the work. */
  readonly shared: boolean
  readonly directory: DataDirectory
  readonly completion: Completion
  readonly screen: Screen
}

/** Opens every sink; each result delivers until its topic is complete. */
export const openSinks = Effect.fnUntraced(function* (options: SinksOptions) {
  const { bounded, completion, directory, screen, shared, sinks } = options
  const opened: Array<Effect.Effect<void, Effect.Error<ReturnType<typeof runSink>>, Log>> = []
  for (const sink of sinks) {
    const { uid } = sinkShard(sink.name)
    const target = yield* openSink(sink)
    const held = yield* holdLock(uid, directory, shared).pipe(
      Effect.as(true),
      Effect.catchTag("JobAlreadyRunning", () => Effect.succeed(false))
    )
    if (!held) {
      screen.say(`sink ${sink.name} is run by another pipeline`)
      continue
    }
    completion.writes(uid, DeadLetters.name)
    const inputComplete = Effect.sync(() => bounded && completion.isComplete(sink.topic.name))
    const tell = makeTeller(sink.name, screen)
    opened.push(
      Effect.gen(function* () {
        const log = yield* Log
        yield* log.ensureTopic({ name: DeadLetters.name, partitions: DeadLetters.partitions })
        const running = runSink({
          name: sink.name,
          topic: sink.topic,
          target,
          deadLetter,
          inputComplete,
          ...(bounded ? { failuresInRowMax } : {}),
          onProblem: tell
        })
        yield* whileMine(shardWork(sinkShard(sink.name)), running)
        completion.ended(uid)
      })
    )
  }
  return opened
})
