/** What the ledger and the dead letters say of a job's records: read from their topics, whose contracts the caller knows. */
import { Decoder, type Topic } from "@frazil/core"
import { Effect } from "effect"
import { keyTextAt, scanTopic } from "./ScanTopic.ts"

/** What is read of an entry of the ledger. */
export interface LedgerFacts {
  readonly job: string
  readonly operator: string
  readonly reason: string
  readonly key?: string | null
  /** Epoch milliseconds. */
  readonly event_timestamp?: number | null
  readonly lateness_ms?: number | null
  readonly topic: string
  readonly partition: number
  readonly offset_from: number
  readonly offset_to: number
  readonly count: number
}

/** What is read of a dead letter. */
export interface LetterFacts {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: string
  readonly message: string
}

/** The topics of the two, whose contracts have at least these fields. */
export interface FactSources<L extends LedgerFacts, D extends LetterFacts> {
  readonly ledger: Topic<L>
  readonly deadLetters: Topic<D>
}

export interface FactsOf {
  readonly job: string
  /** Epoch milliseconds: nothing of it was written before. */
  readonly fromMs: number
  readonly recordsMax: number
  readonly takesEntry: (entry: LedgerFacts) => boolean
  readonly takesLetter: (letter: LetterFacts) => boolean
}

/** At most so many of each are told of. */
const factsMax = 1_000

const read = Effect.fnUntraced(function* <A>(
  topic: Topic<A>,
  options: { readonly fromMs: number; readonly recordsMax: number; readonly key: string | undefined },
  takes: (record: A) => boolean
) {
  const found: Array<A> = []
  const decoder = Decoder.make(topic)
  yield* scanTopic(topic.name, options, (records) => {
    const rows = Array.from({ length: records.length }, (_, row) => row).filter(
      (row) => options.key === undefined || keyTextAt(records, row) === options.key
    )
    if (rows.length === 0) return
    const batch = decoder.decode(records)
    for (const row of rows) {
      if (batch.valid[row] === 0 || found.length >= factsMax) continue
      const record = decoder.record(batch, row)
      if (takes(record)) found.push(record)
    }
  }).pipe(
    // nobody has written one yet
    Effect.catchIf(
      (error) => error.reason === "TopicMissing",
      () => Effect.void
    )
  )
  return found
})

export const readFacts = Effect.fnUntraced(function* <L extends LedgerFacts, D extends LetterFacts>(
  sources: FactSources<L, D>,
  of: FactsOf
) {
  const { deadLetters, ledger } = sources
  const key = ledger.key.length === 0 ? undefined : of.job
  const mine = (entry: LedgerFacts) => entry.job === of.job && of.takesEntry(entry)
  return {
    entries: yield* read(ledger, { ...of, key }, mine),
    letters: yield* read(deadLetters, { ...of, key: undefined }, of.takesLetter)
  }
})
