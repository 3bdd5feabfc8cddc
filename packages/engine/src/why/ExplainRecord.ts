/** What became of one record of a key: what the ledger and the letters say of it, else how far it gets by itself. */
import type { StagePlan } from "../plan/StagePlan.ts"
import { type Cause, spanText, timeText } from "./Cause.ts"
import { conditionText } from "./ConditionText.ts"
import type { LedgerFacts, LetterFacts } from "./Facts.ts"
import type { KeyRecord } from "./KeyRecords.ts"
import type { ShardTime } from "./StageTime.ts"

export interface RecordFacts {
  readonly entries: ReadonlyArray<LedgerFacts>
  readonly letters: ReadonlyArray<LetterFacts>
  /** Offsets of records in flight, by lookup. */
  readonly inFlight: ReadonlyMap<string, ReadonlySet<number>>
}

type Told = Pick<Cause, "kind" | "operator" | "text">

const place = (topic: string, partition: number, offset: number, eventTime: number | null | undefined): string =>
  `the record at ${topic}/${partition} offset ${offset}${eventTime === null || eventTime === undefined ? "" : `, of ${timeText(eventTime)},`}`

/** What an entry of the ledger says of a record. */
export const entryText = (entry: LedgerFacts, letters: ReadonlyArray<LetterFacts>): Told => {
  const { lateness_ms = null, offset_from: offset, operator, partition, reason, topic } = entry
  const letter = letters.find((each) => each.topic === topic && each.partition === partition && each.offset === offset)
  const why = letter === undefined ? "" : `: ${letter.reason}, ${letter.message}`
  const what = place(topic, partition, offset, entry.event_timestamp)
  const late = lateness_ms === null ? "" : `, ${spanText(lateness_ms)} behind the watermark`
  switch (reason) {
    case "dead_letter":
      return { kind: "dead_letter", operator, text: `${what} did not decode and is a dead letter${why}` }
    case "failed":
      return { kind: "failed", operator, text: `${what} failed in ${operator}${why}` }
    case "late":
      return { kind: "late", operator, text: `${what} came too late for ${operator}${late}: it did not take it` }
    case "dropped":
      return { kind: "dropped", operator, text: `${what} came too late for some of what ${operator} had told${late}` }
    case "evicted":
      return { kind: "evicted", operator, text: `${what} found no room in ${operator}, whose bounds were reached` }
    case "lead":
      return {
        kind: "lead",
        operator,
        text: `${what} is ${spanText(lateness_ms ?? 0)} ahead of its partition: it was used, but did not move the watermark`
      }
    default:
      return { kind: "came_to", operator, text: `${what}: ${reason} in ${operator}` }
  }
}

const stepText = (plan: StagePlan, record: KeyRecord, facts: RecordFacts): ReadonlyArray<Told> => {
  const what = place(plan.source.name, record.partition, record.offset, record.eventTime)
  return (record.steps ?? []).map(({ fits: steps = [], operator, topic, what: did }): Told => {
    const fits = steps.length === 0 ? "" : ` as ${steps.join(" or ")}`
    const of = plan.operators.find(({ name }) => name === operator)
    switch (did) {
      case "left out":
        if (of?.node.op === "pattern")
          return { kind: "filtered", operator, text: `${what} fits no step of pattern ${operator}` }
        return {
          kind: "filtered",
          operator,
          text: `${what} did not pass ${operator}${of === undefined ? "" : conditionText(of)}`
        }
      case "threw":
        return { kind: "failed", operator, text: `${what} fails in ${operator}: its code throws` }
      case "written":
        return {
          kind: "written",
          operator,
          text: `${what} passed every condition and was written to ${topic ?? operator}`
        }
      case "came to":
        return facts.inFlight.get(operator)?.has(record.offset) === true
          ? { kind: "in_flight", operator, text: `${what} is in flight: ${operator} has no answer for it yet` }
          : { kind: "came_to", operator, text: `${what} passed every condition and came to ${operator}${fits}` }
    }
  })
}

export const explainRecord = (
  plan: StagePlan,
  record: KeyRecord,
  shards: ReadonlyArray<ShardTime>,
  facts: RecordFacts
): ReadonlyArray<Cause> => {
  const { offset, partition } = record
  const topic = plan.source.name
  const cause = (told: Told): Cause => ({ ...told, stage: plan.name, partition, offset })
  const position = shards[partition]?.position ?? 0
  if (offset >= position) {
    const what = place(topic, partition, offset, record.eventTime)
    const text = `${what} has not been read yet: the job has come to offset ${position}`
    return [cause({ kind: "not_read", operator: null, text })]
  }
  const own = facts.entries.filter(
    (each) => each.topic === topic && each.partition === partition && each.offset_from === offset
  )
  const told = own.map((entry) => entryText(entry, facts.letters))
  const refusedBy = new Set(
    own.filter(({ reason }) => reason !== "lead" && reason !== "dropped").map((each) => each.operator)
  )
  if (record.steps === undefined && told.length === 0) {
    const letter = facts.letters.find(
      (each) => each.topic === topic && each.partition === partition && each.offset === offset
    )
    const why = letter === undefined ? "" : ` and is a dead letter: ${letter.reason}, ${letter.message}`
    told.push({
      kind: "dead_letter",
      operator: topic,
      text: `${place(topic, partition, offset, undefined)} did not decode${why}`
    })
  }
  // what the ledger has of an operator is the truth about it
  const steps = stepText(plan, record, facts).filter(({ operator }) => !refusedBy.has(operator ?? ""))
  return [...told, ...steps].map(cause)
}
