/**
 * `frazil topics read TOPIC`: records as lines on stdout.
 *
 * **Order**: within a partition by offset; partitions take turns by the batch. Without `--follow` it ends at what was
 * there when it began. **Bounds**: one batch in memory.
 */
import { makeRecordMask } from "@frazil/core"
import { Log } from "@frazil/engine"
import { existingData, logLayer, Units } from "@frazil/platform"
import { Effect, Option } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { contractOf } from "../Declared.ts"
import { refuseInternal } from "./Internal.ts"
import { placeOptions, unmask } from "../Options.ts"
import { note, write } from "../Output.ts"
import { type Masked, maskedLines, metaLine, rawLines } from "./RecordLine.ts"
import { firstOffset, parseStart, type StartAt } from "./StartAt.ts"

const readLimits = { recordsMax: 5_000, bytesMax: 1_048_576 }
const followWaitMs = 1_000

interface Reading {
  readonly topic: string
  readonly from: StartAt
  readonly partition: number | undefined
  readonly limit: number
  readonly follow: boolean
  readonly meta: boolean
  readonly masked: Masked
}

interface Cursor {
  readonly partition: number
  next: number
  /** Not read beyond; infinite when following. */
  readonly end: number
}

const openCursors = Effect.fnUntraced(function* (reading: Reading) {
  const { follow, from, partition, topic } = reading
  const log = yield* Log
  const bounds = yield* log.bounds(topic)
  const chosen = bounds.filter((bound) => partition === undefined || bound.partition === partition)
  if (chosen.length === 0) {
    return yield* new CommandError({
      message: `topic ${topic} has partitions 0 to ${bounds.length - 1}: --partition ${partition} is none of them`
    })
  }
  return yield* Effect.forEach(chosen, (bound) =>
    Effect.map(firstOffset(topic, bound, from, partition !== undefined), (next): Cursor => ({
      partition: bound.partition,
      next,
      end: follow ? Number.POSITIVE_INFINITY : bound.end
    }))
  )
})

/** Writes the next batch of a partition; the number of its records. */
const readBatch = Effect.fnUntraced(function* (reading: Reading, cursor: Cursor, recordsLeft: number) {
  const log = yield* Log
  const recordsMax = Math.min(readLimits.recordsMax, recordsLeft, cursor.end - cursor.next)
  if (recordsMax <= 0) return 0
  const batch = yield* log.read(reading.topic, cursor.partition, cursor.next, { ...readLimits, recordsMax })
  let rows = 0
  while (rows < Math.min(batch.length, recordsMax) && batch.offsets[rows]! < cursor.end) rows++
  if (rows === 0) return 0
  const { masked, meta } = reading
  if (meta) {
    let text = ""
    for (let row = 0; row < rows; row++) text += metaLine(cursor.partition, batch, row, masked)
    yield* write(text)
  } else yield* write(masked.value === undefined ? rawLines(batch, rows) : maskedLines(batch, rows, masked.value))
  cursor.next = rows === batch.length ? batch.next : batch.offsets[rows - 1]! + 1
  return rows
})

const readAll = Effect.fnUntraced(function* (reading: Reading) {
  const log = yield* Log
  const cursors = yield* openCursors(reading)
  let written = 0
  while (true) {
    let moved = 0
    for (const cursor of cursors) moved += yield* readBatch(reading, cursor, reading.limit - written - moved)
    written += moved
    if (written >= reading.limit) return written
    if (moved > 0) continue
    if (!reading.follow) return written
    yield* log.awaitAppend(followWaitMs, [reading.topic])
  }
})

const options = {
  topic: Argument.String("TOPIC").pipe(Argument.withDescription("Name of the topic")),
  from: Flag.String("from").pipe(
    Flag.withDescription(
      "Begin at an offset, at a time (2026-01-14T23:45:00Z: when it was appended), at start or at end"
    ),
    Flag.withMetavar("OFFSET|TIME"),
    Flag.mapEffect((text) => {
      const from = parseStart(text)
      const expected = "an offset, a time such as 2026-01-14T23:45:00Z, start or end"
      return from === undefined
        ? Effect.fail(new CliError.InvalidValue({ option: "from", value: text, expected, kind: "flag" }))
        : Effect.succeed(from)
    }),
    Flag.withDefault<StartAt>({ _tag: "Start" })
  ),
  partition: Flag.Int("partition").pipe(
    Flag.withDescription("Only this partition"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("End after so many records"),
    Flag.withMetavar("N"),
    Flag.withDefault(Number.POSITIVE_INFINITY)
  ),
  follow: Flag.Boolean("follow").pipe(Flag.withDescription("Wait for more; Ctrl-C ends"), Flag.withDefault(false)),
  meta: Flag.Boolean("meta").pipe(
    Flag.withDescription("Each record with its partition, offset, time of append and key"),
    Flag.withDefault(false)
  ),
  unmask,
  ...placeOptions
}

const nothingMasked: Masked = { value: undefined, key: false }

/** By the topic's contract. What a topic without one holds, nobody has said: it is shown as it is. */
const maskedOf = (topic: string): Masked => {
  const contract = contractOf(topic)
  if (contract === undefined) return nothingMasked
  const { key, keyElse, shape } = contract
  const keys = [...key, ...(keyElse === undefined ? [] : [keyElse])]
  return { value: makeRecordMask(shape), key: keys.some((name) => shape.byName.get(name)?.personal === true) }
}

export const readTopic = Command.make(
  "read",
  options,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    yield* refuseInternal(given.topic)
    const masked = given.unmask ? nothingMasked : maskedOf(given.topic)
    const reading = { ...given, partition: Option.getOrUndefined(given.partition), masked }
    const records = yield* readAll(reading).pipe(Effect.provide(logLayer(directory)))
    const how = masked.value === undefined ? "" : "; personal values are masked, --unmask shows them"
    yield* note(`${Units.plural(records, "record")} of ${given.topic}${how}`)
  })
).pipe(
  Command.withDescription("Prints a topic's records, one a line, as their bytes are but for personal values"),
  Command.withExamples([
    { command: "frazil topics read alerts --follow --from end", description: "See alerts as they come" },
    { command: "frazil topics read dead-letter --meta --limit 10", description: "The oldest ten with their positions" }
  ])
)
