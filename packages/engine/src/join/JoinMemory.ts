/**
 * Records that a join holds in memory, and what deltas and snapshots tell of them: the same whichever join it is.
 *
 * The join says what came, what met a partner for the first time, and what all it holds; it keeps the order that it needs.
 */
import type { Capture, CaptureKind } from "../state/Capture.ts"
import { encodeJoin, readJoin } from "./JoinCodec.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { JoinCapture, type JoinRecord, JoinRecords } from "./JoinRecord.ts"

const held = ({ gone }: JoinRecord): boolean => !gone

export class JoinMemory {
  readonly records = new JoinRecords()
  private readonly captured = new JoinCapture()
  private readonly plan: JoinPlan
  private readonly all: () => ReadonlyArray<JoinRecord>
  /** Since the last delta. */
  private came: Array<JoinRecord> = []
  private matched: Array<JoinRecord> = []

  /** `all` gives what is held, in any order. */
  constructor(plan: JoinPlan, all: () => ReadonlyArray<JoinRecord>) {
    this.plan = plan
    this.all = all
  }

  cameIn(record: JoinRecord): void {
    this.came.push(record)
  }

  /** One that an earlier delta told without a partner. */
  metPartner(record: JoinRecord): void {
    this.matched.push(record)
  }

  takeDelta(): unknown {
    const [came, matched] = [this.came.filter(held), this.matched.filter(held)]
    const delta = encodeJoin(this.plan, this.records.next, came, matched)
    this.captured.told(came, matched)
    this.came = []
    this.matched = []
    this.records.tidy(this.all)
    return delta
  }

  capture(kind: CaptureKind): Capture {
    const { next } = this.records
    const inOrder = () => this.all().toSorted((one, other) => one.id - other.id)
    return this.captured.begin(kind, inOrder, (records, matched) => encodeJoin(this.plan, next, records, matched))
  }

  /** Hands over the records of a delta or a piece; gives which of those that were told before have met a partner. */
  load(entries: unknown, hold: (record: JoinRecord) => void): ReturnType<typeof readJoin>["matched"] {
    const { matched, next, records } = readJoin(this.plan, entries, this.records)
    this.records.next = next
    for (const record of records) hold(record)
    return matched
  }
}
