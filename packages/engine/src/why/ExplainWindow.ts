/** What became of the windows of a key that a time falls in: open until when, or what result was told. */
import { Decoder, makeRecordMask, type Topic } from "@frazil/core"
import { Effect } from "effect"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import type { PlannedOperator, StagePlan } from "../plan/StagePlan.ts"
import { keyTextOf } from "../run/Collector.ts"
import { isoOf } from "../state/PlainJson.ts"
import { endAfter, lastEndOf } from "../window/Pane.ts"
import type { FixedSpec } from "../window/Window.ts"
import { type Cause, spanText, timeText } from "./Cause.ts"
import { conditionText } from "./ConditionText.ts"
import type { Around } from "./KeyRecords.ts"
import { scanTopic } from "./ScanTopic.ts"

/** What is known of the key's shard. */
export interface KeyShard {
  readonly partition: number
  readonly watermark: number | undefined
  readonly closed: boolean
  /** What holds its time. */
  readonly held: string
}

/** What a window has, and had, of the key. */
export interface KeyInWindow {
  /** Of `readState`; undefined when it holds nothing of the key now. */
  readonly state: object | undefined
  /** Event times of records that it took, as far as they are known. */
  readonly gotIn: ReadonlyArray<number>
}

type Asked = Around & { readonly unmask: boolean }

/** Windows of a time that are told one by one. */
const windowsToldMax = 3

interface Span {
  readonly start: number
  readonly end: number
  /** Records of the key in it, as far as the state still has them. */
  readonly records: number
}

interface SessionEntry {
  readonly start: string
  readonly last: string
  readonly records: number
}

interface PaneEntry {
  readonly start: string
  readonly end: string
  readonly records: number
}

/** Those that the time falls in, with what the state of the key has of them. */
const spansAt = (spec: FixedSpec, atMs: number, panes: ReadonlyArray<PaneEntry>): ReadonlyArray<Span> => {
  const spans: Array<Span> = []
  for (let end = endAfter(spec, atMs); end <= lastEndOf(spec, atMs); end += spec.everyMs) {
    const start = end - spec.sizeMs
    const inside = panes.filter((pane) => Date.parse(pane.start) >= start && Date.parse(pane.end) <= end)
    spans.push({ start, end, records: inside.reduce((sum, pane) => sum + pane.records, 0) })
  }
  return spans
}

/** What lies behind an operator up to where its results are written. */
const behind = (plan: StagePlan, operator: PlannedOperator): ReadonlyArray<PlannedOperator> =>
  operator.consumers.flatMap((id) => [plan.operators[id]!, ...behind(plan, plan.operators[id]!)])

/** The last result of a window that stands on a topic, as text; undefined when there is none. */
const resultOn = Effect.fnUntraced(function* (
  topic: TopicRef,
  operator: PlannedOperator,
  span: Span,
  { aroundMs, key, recordsMax, unmask }: Asked
) {
  const decoder = Decoder.make(topic as unknown as Topic<AnyRecord>) // read by its shape and key alone
  const mask = unmask ? undefined : makeRecordMask(topic.shape)
  const text = new TextDecoder()
  let last: string | undefined
  const own = topic.key.join() === operator.key.join() ? key : undefined
  yield* scanTopic(topic.name, { fromMs: span.start - aroundMs, recordsMax, key: own }, (records) => {
    const batch = decoder.decode(records)
    for (let row = 0; row < batch.length; row++) {
      if (batch.valid[row] === 0) continue
      const record = decoder.record(batch, row)
      if (keyTextOf(operator.key, record) !== key || record["window_end"] !== span.end) continue
      const bytes = records.bytes.subarray(records.valueStarts[row], records.valueEnds[row])
      last = mask === undefined ? text.decode(bytes) : mask(bytes)
    }
  })
  return last
})

const recordsText = (count: number): string => `${count} record${count === 1 ? "" : "s"}`

const tellsWindow = ({ key }: PlannedOperator, { shape }: TopicRef): boolean =>
  ["window_end", ...key].every((field) => shape.byName.has(field))

const closedText = Effect.fnUntraced(function* (
  plan: StagePlan,
  operator: PlannedOperator,
  span: Span,
  gotIn: number,
  around: Asked
) {
  const next = behind(plan, operator)
  const topics = next.flatMap(({ node }) => (node.op === "to" ? [node.topic] : []))
  for (const topic of topics.filter((each) => tellsWindow(operator, each))) {
    const found = yield* resultOn(topic, operator, span, around)
    if (found !== undefined)
      return { kind: "result" as const, text: `has ended; its result on ${topic.name}: ${found}` }
  }
  const conditions = next.filter(({ node }) => node.op === "filter" || node.op === "route" || node.op === "decide")
  const [first] = topics
  const kind = "no_result" as const
  if (first !== undefined && !topics.some((topic) => tellsWindow(operator, topic)))
    return { kind, text: `has ended; what came of it is on ${first.name}, whose records do not tell their window` }
  const asked = conditions.map((each) => `${each.name}${conditionText(each)}`).join(", ")
  if (gotIn === 0) return { kind, text: "has ended without a result of the key: no record of it got in" }
  const took = `has ended and took ${recordsText(gotIn)} of the key`
  if (conditions.length === 0) return { kind, text: `${took}; its result is not among what was read` }
  return { kind, text: `${took}; its result did not pass what lies behind it: ${asked}` }
})

export const explainWindow = Effect.fnUntraced(function* (
  plan: StagePlan,
  operator: PlannedOperator,
  shard: KeyShard,
  { gotIn, state }: KeyInWindow,
  around: Asked
) {
  const { spec } = plan.windows[operator.state]!
  const cause = (kind: Cause["kind"], text: string): Cause => ({
    kind,
    stage: plan.name,
    partition: shard.partition,
    operator: operator.name,
    offset: null,
    text
  })
  const now = shard.watermark
  const at = now === undefined ? "there is no watermark yet" : `it is at ${timeText(now)}`
  const open = (name: string, records: number, until: number) =>
    cause(
      "window_open",
      `${name} is open with ${recordsText(records)} of the key: its result comes when the watermark passes ${timeText(until)}; ${at}: ${shard.held}`
    )
  if (spec._tag === "Session") {
    const { sessions = [] } = (state ?? {}) as { sessions?: ReadonlyArray<SessionEntry> } // of readState, for sessions
    return sessions
      .filter(
        ({ last, start }) =>
          around.atMs >= Date.parse(start) - spec.gapMs && around.atMs <= Date.parse(last) + spec.gapMs
      )
      .map(({ last, records, start }) =>
        open(
          `session ${operator.name} from ${timeText(Date.parse(start))} to ${timeText(Date.parse(last))}`,
          records,
          Date.parse(last) + spec.gapMs + (spec.once ? spec.allowedLatenessMs : 0)
        )
      )
  }
  // by the clock they lie where nobody's event time says
  if (spec.processing !== undefined) return []
  const { panes = [] } = (state ?? {}) as { panes?: ReadonlyArray<PaneEntry> } // of readState, for windows
  const spans = spansAt(spec, around.atMs, panes)
  const causes: Array<Cause> = []
  for (const span of spans.slice(0, windowsToldMax)) {
    const name = `window ${operator.name} from ${timeText(span.start)} to ${timeText(span.end)}`
    const due = span.end + (spec.once ? spec.allowedLatenessMs : 0)
    if (!shard.closed && (now === undefined || now < due)) {
      causes.push(open(name, span.records, due))
      continue
    }
    const taken = gotIn.filter((time) => time >= span.start && time < span.end).length
    const closed = yield* closedText(plan, operator, span, taken, around)
    causes.push(cause(closed.kind, `${name} ${closed.text}`))
  }
  const more = spans.length - windowsToldMax
  if (more > 0) {
    const last = spans.at(-1)!
    causes.push(
      cause(
        "came_to",
        `${more} more windows of ${operator.name}, one every ${spanText(spec.everyMs)}, contain that time; the last ends at ${isoOf(last.end)}`
      )
    )
  }
  return causes
})
