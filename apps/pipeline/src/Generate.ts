/**
 * The pipeline's own generators: of each kind of event that its flows read, as `apps/generator` makes them.
 */
import {
  generateAll,
  type KindName,
  kinds,
  kindNames,
  makeTokenBucket,
  openTopic,
  runGenerator,
  topicCount
} from "@frazil/sim"
import { Effect, Random } from "effect"

/** Another pipeline on the same log would fence this one's stream, not double it. */
const producerName = (kind: KindName) => `pipeline-${kind}`
const seedsMax = 2 ** 31

export interface GenerateOptions {
  /** Events of each kind a second. */
  readonly rate: number
  /** How many the topic of each kind shall hold in the end: a run that was stopped makes only what is missing. */
  readonly count: number | undefined
  readonly seed: number | undefined
}

/** The kinds whose topics are among these. */
export const kindsOf = (topics: ReadonlyArray<string>): ReadonlyArray<KindName> =>
  kindNames.filter((kind) => topics.includes(kinds[kind].topic.name))

const generateEvents = Effect.fnUntraced(function* (kind: KindName, { count, rate, seed }: GenerateOptions) {
  const missing = count === undefined ? undefined : count - (yield* topicCount(kind))
  if (missing !== undefined && missing <= 0) return
  const bucket = yield* makeTokenBucket(rate)
  const outlet = yield* openTopic(kind, producerName(kind))
  yield* runGenerator({
    source: kinds[kind].source(seed ?? (yield* Random.nextIntBetween(0, seedsMax))),
    bucket,
    outlet,
    ...(missing === undefined ? {} : { count: missing })
  })
}, Effect.scoped)

/** Ends when the topic holds `count` records; without one, never. What is no event is there once, whatever the count. */
export const generate = (kind: KindName, options: GenerateOptions) =>
  kinds[kind].all === undefined ? generateEvents(kind, options) : Effect.asVoid(generateAll(kind, producerName(kind)))
